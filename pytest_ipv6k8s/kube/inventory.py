"""Facts of a cluster that hold for a whole run: read once, handed to every worker."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_ipv6k8s.addresses import (
    Family,
    Stack,
    families_of,
    first_of_each_family,
    is_address,
    names,
)
from pytest_ipv6k8s.errors import ClusterError
from pytest_ipv6k8s.kube import paths, status
from pytest_ipv6k8s.kube.client import Api, ApiError, Object, readable
from pytest_ipv6k8s.kube.daemonsets import containers
from pytest_ipv6k8s.kube.enforcement import policy_engine
from pytest_ipv6k8s.kube.pod_cidrs import pod_cidrs_are_used
from pytest_ipv6k8s.kube.taints import Taint, taints_of
from pytest_ipv6k8s.threads import at_once

UNKNOWN = "unknown"
_CNI_DAEMONSETS = {
    "cilium": "cilium",
    "calico-node": "calico",
    "kindnet": "kindnet",
    "kube-flannel-ds": "flannel",
    "flannel": "flannel",
    "canal": "canal",
    "rke2-canal": "canal",
    "antrea-agent": "antrea",
    "kube-router": "kube-router",
    "weave-net": "weave",
    "ovnkube-node": "ovn-kubernetes",
    "kube-ovn-cni": "kube-ovn",
    "aws-node": "aws-vpc-cni",
    "azure-cns": "azure-cni",
    "netd": "gke",
    "anetd": "gke",
}
_IGNORED_ROLES = {"virtual-kubelet"}
_UNINITIALIZED = "node.cloudprovider.kubernetes.io/uninitialized"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What the API says of a node."""

    name: str
    internal_ips: tuple[str, ...]
    pod_cidrs: tuple[str, ...]
    labels: Mapping[str, str]
    kubelet: str
    kernel: str
    runtime: str
    external_ips: tuple[str, ...] = ()
    ready: bool = True
    taints: tuple[Taint, ...] = ()

    @property
    def host_ips(self) -> tuple[str, ...]:
        """The first address and the first of the other family, InternalIPs before ExternalIPs.

        The kubelet gives these to host-network pods as podIPs, and to all as hostIPs
        (``GetNodeHostIPs`` in kubernetes/kubernetes, pkg/util/node/node.go).
        """
        return first_of_each_family((*self.internal_ips, *self.external_ips))


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsService:
    """The Service at the address of the pods' nameserver."""

    namespace: str
    name: str
    cluster_ips: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FamiliesSeen:
    """The families that are seen at the parts of a cluster; empty where nothing was seen."""

    nodes: tuple[Family, ...] = ()
    pods: tuple[Family, ...] = ()
    services: tuple[Family, ...] = ()
    service_cidrs: tuple[Family, ...] = ()

    @property
    def by_part(self) -> dict[str, tuple[Family, ...]]:
        """The families by where they were seen."""
        seen = {
            "nodes": self.nodes,
            "pods": self.pods,
            "Services": self.services,
            "ServiceCIDR": self.service_cidrs,
        }
        return {part: families for part, families in seen.items() if families}

    @property
    def differences(self) -> str:
        """Who has which, when they are not the same; empty when they are."""
        seen = self.by_part
        if len({frozenset(families) for families in seen.values()}) < 2:
            return ""
        return ", ".join(f"{part} {names(families)}" for part, families in seen.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The facts. ``stack`` is what Services get; ``proxy`` and ``cni`` may be unknown.

    ``cni_version`` is the tag of the CNI's image. ``policy_engine`` is what is known to enforce
    NetworkPolicy; empty when nothing is. ``pod_cidrs_used`` tells whether the CNI takes the
    addresses of pods from their node's podCIDRs, as far as that is known. In ``policy_seconds``
    a NetworkPolicy has to be enforced: our limit, the API promises none. ``dns`` is known once
    pods have shown their nameservers. ``node_port_addresses`` are the ranges of node addresses at
    which kube-proxy is told to serve node ports; empty where it is not told, or known.
    """

    version: str
    stack: Stack
    nodes: tuple[Node, ...]
    service_cidrs: tuple[str, ...]
    cni: str
    proxy: str
    host_network_pods: bool
    dns: DnsService | None = None
    cni_version: str = UNKNOWN
    policy_engine: str = ""
    policy_declared_none: bool = False
    policy_seconds: int = 30
    further_service_cidrs: tuple[str, ...] = ()
    families: FamiliesSeen = FamiliesSeen()
    pod_cidrs_used: bool = False
    node_port_addresses: tuple[str, ...] = ()

    @property
    def pod_stack(self) -> Stack:
        """The families of pods: those of Services, which they must have, and what they have more.

        What is missing on pods is judged (ADDR-01), so it is not taken from what they have.
        """
        more = [family for family in self.families.pods if family not in self.stack.families]
        return Stack.from_families((*self.stack.families, *more))

    @property
    def in_words(self) -> str:
        """What cluster it is, in a line."""
        return f"Kubernetes {self.version}, {self.stack.value}, CNI {self.cni}, {self.proxy}"

    def with_pods(self, addresses: Iterable[Iterable[str]]) -> Inventory:
        """Return these facts, with the families of the pods that have these addresses."""
        pods = families_of(ip for ips in addresses for ip in ips)
        return replace(self, families=replace(self.families, pods=pods))


def read(api: Api) -> Inventory:
    """Read the facts.

    Raises:
        ClusterError: the cluster has no Linux node, or its Services tell no families.
        ControlChannelError: the API server could not be reached.
    """
    reading: tuple[Callable[[Api], Any], ...] = (
        _version,
        _linux_nodes,
        _daemonsets,
        _stack,
        _service_cidrs,
        _running_pods,
    )
    version, linux, found, stack, (cidrs, further), pods = at_once(lambda read: read(api), reading)
    nodes = tuple(sorted((_node(item) for item in linux), key=lambda node: node.name))
    if not nodes:
        raise ClusterError("the cluster has no Linux node", remedy="add one")
    daemonsets = None if found is None else _first_images(found)
    cni, cni_version = _cni(daemonsets)
    proxy, node_port_addresses = _proxy(api, daemonsets)
    return Inventory(
        version=version,
        stack=stack,
        nodes=nodes,
        service_cidrs=cidrs,
        further_service_cidrs=further,
        cni=cni,
        cni_version=cni_version,
        proxy=proxy,
        node_port_addresses=node_port_addresses,
        host_network_pods=any(_is_host_network(pod) for pod in pods),
        policy_engine=policy_engine(api, found or [], linux),
        families=_families_seen(nodes, pods, stack, cidrs),
        pod_cidrs_used=pod_cidrs_are_used(api, cni, _running(cni, found or []), linux),
    )


def _version(api: Api) -> str:
    return str(api.get("/version").get("gitVersion", UNKNOWN))


def _running_pods(api: Api) -> list[Object]:
    return api.items(paths.ALL_PODS, fieldSelector="status.phase=Running")


def _linux_nodes(api: Api) -> list[Object]:
    return [
        item
        for item in api.items(paths.NODES)
        if item["metadata"].get("labels", {}).get("kubernetes.io/os", "linux") == "linux"
        and item["metadata"].get("labels", {}).get("type") not in _IGNORED_ROLES
    ]


def _node(item: Object) -> Node:
    spec, state = item.get("spec", {}), item.get("status", {})
    info = state.get("nodeInfo", {})
    return Node(
        name=item["metadata"]["name"],
        internal_ips=_addresses(item, "InternalIP"),
        external_ips=_addresses(item, "ExternalIP"),
        ready=_is_complete(item),
        pod_cidrs=tuple(spec.get("podCIDRs") or []),
        labels=item["metadata"].get("labels", {}),
        kubelet=info.get("kubeletVersion", UNKNOWN),
        kernel=info.get("kernelVersion", UNKNOWN),
        runtime=info.get("containerRuntimeVersion", UNKNOWN),
        taints=taints_of(item),
    )


def _addresses(node: Object, kind: str) -> tuple[str, ...]:
    """Return a node's addresses of a type; clouds also write names there, which no one can use."""
    entries = node.get("status", {}).get("addresses") or []
    found = (entry["address"] for entry in entries if entry["type"] == kind)
    return tuple(text for text in found if is_address(text))


def _is_complete(node: Object) -> bool:
    """Tell whether a node is Ready and a cloud provider, where there is one, has told of it."""
    taints = node.get("spec", {}).get("taints") or []
    return status.is_ready(node) and _UNINITIALIZED not in {taint["key"] for taint in taints}


def _stack(api: Api) -> Stack:
    """Infer families and order from what a PreferDualStack Service would get (KEP-563)."""
    body = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"generateName": "ipv6k8s-stack-"},
        "spec": {
            "ipFamilyPolicy": "PreferDualStack",
            "selector": {"app": "none"},
            "ports": [{"port": 80}],
        },
    }
    made = api.create(paths.services("default"), body, dryRun="All")
    families = made.get("spec", {}).get("ipFamilies") or []
    if not families:
        raise ClusterError(
            "the API server gave a Service no ipFamilies",
            remedy="use a cluster of Kubernetes 1.23 or newer",
        )
    return Stack.from_families(Family(name) for name in families)


def _service_cidrs(api: Api) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the CIDRs of the ServiceCIDR ``kubernetes``, and those of all others (KEP-1880)."""
    items = readable(api, paths.SERVICE_CIDRS)
    named = {item["metadata"]["name"]: item["spec"].get("cidrs") or () for item in items}
    default = tuple(named.pop("kubernetes", ()))
    return default, tuple(cidr for cidrs in named.values() for cidr in cidrs)


def _is_host_network(pod: Object) -> bool:
    return bool(pod["spec"].get("hostNetwork"))


def _pod_ips(pods: list[Object], nodes: Collection[str]) -> Iterator[str]:
    """Yield the addresses of pods in the pod network of Linux nodes."""
    for pod in pods:
        if not _is_host_network(pod) and pod["spec"].get("nodeName") in nodes:
            yield from status.pod_ips(pod)


def _cni(daemonsets: Mapping[str, str] | None) -> tuple[str, str]:
    """Return name and version of the CNI, told by its DaemonSet and that one's image."""
    for name, cni in _CNI_DAEMONSETS.items():
        if daemonsets and name in daemonsets:
            image = daemonsets[name].partition("@")[0].rpartition("/")[2]
            return cni, image.partition(":")[2] or UNKNOWN
    return UNKNOWN, UNKNOWN


def _families_seen(
    nodes: Sequence[Node], pods: list[Object], stack: Stack, cidrs: Iterable[str]
) -> FamiliesSeen:
    return FamiliesSeen(
        nodes=families_of(ip for node in nodes if node.ready for ip in node.host_ips),
        pods=families_of(_pod_ips(pods, {node.name for node in nodes})),
        services=stack.families,
        service_cidrs=families_of(cidrs),
    )


def _running(cni: str, daemonsets: list[Object]) -> list[Object]:
    """Return the DaemonSets of a CNI."""
    return [item for item in daemonsets if _CNI_DAEMONSETS.get(item["metadata"]["name"]) == cni]


def _proxy(api: Api, daemonsets: Mapping[str, str] | None) -> tuple[str, tuple[str, ...]]:
    """Return the Service proxy, and the ranges of addresses at which it serves node ports."""
    path = paths.config_map(paths.KUBE_SYSTEM, "kube-proxy")
    try:
        text = (api.find(path) or {}).get("data", {}).get("config.conf")
    except ApiError:
        return UNKNOWN, ()
    if text is None:
        unknown = daemonsets is None or "kube-proxy" in daemonsets
        return UNKNOWN if unknown else "no kube-proxy", ()
    import yaml

    config = yaml.safe_load(text) or {}
    ranges = (item for item in config.get("nodePortAddresses") or () if item != "primary")
    return f"kube-proxy {config.get('mode') or 'iptables'}", tuple(ranges)


def _daemonsets(api: Api) -> list[Object] | None:
    """Return the DaemonSets of all namespaces, None when we may not see them."""
    try:
        return api.items(paths.ALL_DAEMONSETS)
    except ApiError as error:
        if error.code not in (403, 404):
            raise
        return None if error.code == 403 else []


def _first_images(daemonsets: list[Object]) -> dict[str, str]:
    """Return the first image of every DaemonSet, by name."""
    found = {}
    for item in daemonsets:
        images = [container.get("image", "") for container in containers(item)]
        found[item["metadata"]["name"]] = images[0] if images else ""
    return found
