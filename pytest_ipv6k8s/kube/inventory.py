"""Facts of a cluster that hold for a whole run: read once, handed to every worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.errors import ClusterError
from pytest_ipv6k8s.kube import paths, status
from pytest_ipv6k8s.kube.client import Api, ApiError, Object
from pytest_ipv6k8s.kube.enforcement import policy_engine

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
}
_IGNORED_ROLES = {"virtual-kubelet"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What the API says of a node."""

    name: str
    internal_ips: tuple[str, ...]
    pod_cidrs: tuple[str, ...]
    can_run_probes: bool
    labels: Mapping[str, str]
    kubelet: str
    kernel: str
    runtime: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsService:
    """The Service of the cluster's DNS."""

    name: str
    cluster_ips: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The facts. ``stack`` is what Services get; ``proxy`` and ``cni`` may be unknown.

    ``cni_version`` is the tag of the CNI's image. ``policy_engine`` is what is known to enforce
    NetworkPolicy; empty when nothing is.
    """

    version: str
    stack: Stack
    nodes: tuple[Node, ...]
    service_cidrs: tuple[str, ...]
    dns: DnsService | None
    cni: str
    proxy: str
    host_network_pods: bool
    cni_version: str = UNKNOWN
    policy_engine: str = ""


def read(api: Api) -> Inventory:
    """Read the facts.

    Raises:
        ClusterError: the cluster has no Linux node, or its Services tell no families.
        ControlChannelError: the API server could not be reached.
    """
    version = api.get("/version")
    linux = _linux_nodes(api)
    nodes = tuple(sorted((_node(item) for item in linux), key=lambda node: node.name))
    if not nodes:
        raise ClusterError("the cluster has no Linux node", remedy="add one")
    found = _daemonsets(api)
    daemonsets = None if found is None else _first_images(found)
    cni, cni_version = _cni(daemonsets)
    return Inventory(
        version=str(version.get("gitVersion", UNKNOWN)),
        stack=_stack(api),
        nodes=nodes,
        service_cidrs=_service_cidrs(api),
        dns=_dns_service(api),
        cni=cni,
        cni_version=cni_version,
        proxy=_proxy_mode(api, daemonsets),
        host_network_pods=_has_host_network_pods(api),
        policy_engine=policy_engine(found or [], linux),
    )


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
        internal_ips=tuple(
            entry["address"]
            for entry in state.get("addresses", [])
            if entry["type"] == "InternalIP"
        ),
        pod_cidrs=tuple(spec.get("podCIDRs") or []),
        can_run_probes=status.is_ready(item) and not spec.get("unschedulable", False),
        labels=item["metadata"].get("labels", {}),
        kubelet=info.get("kubeletVersion", UNKNOWN),
        kernel=info.get("kernelVersion", UNKNOWN),
        runtime=info.get("containerRuntimeVersion", UNKNOWN),
    )


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


def _service_cidrs(api: Api) -> tuple[str, ...]:
    objects = _optional(api, paths.SERVICE_CIDRS)
    default = next((o for o in objects if o["metadata"]["name"] == "kubernetes"), None)
    return tuple((default or {}).get("spec", {}).get("cidrs") or [])


def _dns_service(api: Api) -> DnsService | None:
    for item in api.items(paths.services(paths.KUBE_SYSTEM), labelSelector="k8s-app=kube-dns"):
        addresses = item["spec"].get("clusterIPs") or []
        if addresses and addresses[0] != "None":
            return DnsService(name=item["metadata"]["name"], cluster_ips=tuple(addresses))
    return None


def _has_host_network_pods(api: Api) -> bool:
    pods = api.items(paths.ALL_PODS, fieldSelector="status.phase=Running")
    return any(pod["spec"].get("hostNetwork") for pod in pods)


def _cni(daemonsets: Mapping[str, str] | None) -> tuple[str, str]:
    """Return name and version of the CNI, told by its DaemonSet and that one's image."""
    for name, cni in _CNI_DAEMONSETS.items():
        if daemonsets and name in daemonsets:
            image = daemonsets[name].partition("@")[0].rpartition("/")[2]
            return cni, image.partition(":")[2] or UNKNOWN
    return UNKNOWN, UNKNOWN


def _proxy_mode(api: Api, daemonsets: Mapping[str, str] | None) -> str:
    path = paths.config_map(paths.KUBE_SYSTEM, "kube-proxy")
    try:
        config = (api.find(path) or {}).get("data", {}).get("config.conf")
    except ApiError:
        return UNKNOWN
    if config is None:
        unknown = daemonsets is None or "kube-proxy" in daemonsets
        return UNKNOWN if unknown else "no kube-proxy"
    import yaml

    return f"kube-proxy {(yaml.safe_load(config) or {}).get('mode') or 'iptables'}"


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
        pod = item.get("spec", {}).get("template", {}).get("spec", {})
        images = [container.get("image", "") for container in pod.get("containers", ())]
        found[item["metadata"]["name"]] = images[0] if images else ""
    return found


def _optional(api: Api, path: str) -> list[Object]:
    """Return a list that we may do without: not every version has it, not every user may see it."""
    try:
        return api.items(path)
    except ApiError as error:
        if error.code in (403, 404):
            return []
        raise
