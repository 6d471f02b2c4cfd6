"""A cluster as checks see it: facts are cited, whatever is read or proposed is recorded."""

from __future__ import annotations

import ipaddress
import random
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pytest_ipv6k8s import words
from pytest_ipv6k8s.addresses import Family, in_any
from pytest_ipv6k8s.errors import ConfigError, Inconclusive
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.expectations import remark
from pytest_ipv6k8s.kube import objects, paths, resolver, status, texts
from pytest_ipv6k8s.kube.client import Api, Object, Outcome, readable
from pytest_ipv6k8s.kube.inventory import DnsService, Inventory, Node
from pytest_ipv6k8s.kube.resolver import Configuration, DnsServer
from pytest_ipv6k8s.kube.texts import AddressText

T = TypeVar("T")
_NEAR, _TRIES = 250, 30
_DRY_RUNS = 40
_ANOTHER_RANGE = re.compile(r"not in the valid range\. The range of valid IPs is")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """The addresses of a running pod, as the API has them."""

    name: str
    namespace: str
    node: str
    ip: str
    ips: tuple[str, ...]
    host_ips: tuple[str, ...]
    host_network: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceView:
    """A Service, as the API has it."""

    namespace: str
    name: str
    spec: Mapping[str, Any]

    @property
    def addresses(self) -> tuple[str, ...]:
        """Its cluster IPs; none for a headless Service."""
        found = self.spec.get("clusterIPs") or [self.spec.get("clusterIP", "None")]
        return tuple(address for address in found if address not in ("", "None"))

    def address(self, family: Family) -> str:
        """Return its cluster IP of a family.

        Raises:
            Inconclusive: it has none.
        """
        for address in self.addresses:
            if Family.of(address) is family:
                return address
        raise Inconclusive(f"Service {self.namespace}/{self.name} has no {family.value} address")

    @property
    def families(self) -> tuple[Family, ...]:
        """Those of its addresses, the first one first."""
        return tuple(Family(family) for family in self.spec.get("ipFamilies") or ())

    @property
    def ports(self) -> Mapping[str, int]:
        """Its ports by their names; a single one may have none."""
        return {port.get("name", ""): port["port"] for port in self.spec.get("ports") or ()}

    @property
    def port(self) -> int:
        """Its first port."""
        return next(iter(self.ports.values()))

    @property
    def host(self) -> str:
        """Its name in the cluster's DNS, to be completed by a pod's search list."""
        return f"{self.name}.{self.namespace}.svc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """An EndpointSlice; ``addresses`` are those of its ready endpoints."""

    name: str
    service: str
    address_type: str
    addresses: tuple[str, ...]


MOST_KEPT = 50
"""How many of the objects that were read a record keeps; of all of them it has the number."""


class ClusterView:
    """What a check may know of, and ask of, the cluster.

    Args:
        api: the API server; its recorder keeps the answers.
        inventory: the facts that were read when the run began.
        namespace: where proposals go.
        selector: labels of the nodes that are to be judged.
        clat: whether pods are declared to have a CLAT.
        unconnected: why nodes could not connect a probe to the pods' network, by their names.
        where: gets the node of each DNS server, by its address.

    Attributes:
        stack: the families of Services.
        pod_stack: the families of pods.
    """

    def __init__(
        self,
        api: Api,
        inventory: Inventory,
        namespace: str,
        *,
        selector: Iterable[tuple[str, str]] = (),
        clat: bool = False,
        unconnected: Mapping[str, str] | None = None,
        where: dict[str, str] | None = None,
    ) -> None:
        self._api = api
        self._unconnected = unconnected or {}
        self._where = {} if where is None else where
        self._inventory = inventory
        self._selector = tuple(selector)
        self.namespace = namespace
        self.stack = inventory.stack
        self.pod_stack = inventory.pod_stack
        self.clat = clat

    @property
    def kubectl(self) -> str:
        """How to call kubectl for this cluster."""
        return self._api.kubeconfig.kubectl

    @property
    def version(self) -> str:
        """The server's version."""
        return self._cite("version", self._inventory.version)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The Linux nodes."""
        self._cite("nodes", _shortened(self._inventory.nodes))
        return self._inventory.nodes

    @property
    def node_port_addresses(self) -> tuple[str, ...]:
        """The ranges of node addresses to which kube-proxy's node ports are limited, if any."""
        return self._inventory.node_port_addresses

    def judged_nodes(self) -> tuple[Node, ...]:
        """Return the Linux nodes that are complete, and selected where labels were given.

        What is left out is remarked beside the verdict.
        """
        nodes = self.nodes
        judged = tuple(node for node in nodes if node.ready and self._is_selected(node))
        kept = {node.name for node in judged}
        left = [node.name for node in nodes if node.name not in kept]
        if left:
            more = f" and {len(left) - 5} more" if len(left) > 5 else ""
            remark(
                f"judged {len(judged)} of {len(nodes)} nodes; not Ready or not selected: "
                f"{', '.join(left[:5])}{more}"
            )
        return judged

    @property
    def unconnected(self) -> Mapping[str, str]:
        """Why nodes could not connect a probe to the pods' network, by their names."""
        return self._cite("nodes that connect no pod", self._unconnected)

    @property
    def dns(self) -> DnsService | None:
        """The Service at the address of the pods' nameserver, None when there is none."""
        return self._cite("cluster DNS Service", self._inventory.dns)

    def dns_servers(self) -> tuple[DnsServer, ...]:
        """Return the ready endpoints of that Service; none where there is no Service."""
        service = self._inventory.dns
        found = resolver.servers(self._api, service) if service else ()
        self._where.update({one.address: one.node for one in found if one.node})
        return self._read("servers behind the cluster's DNS", found)

    def dns_configuration(self) -> Configuration | None:
        """Return how that Service's CoreDNS is configured, None when we cannot know.

        Raises:
            CorefileError: CoreDNS would not start with it.
        """
        service = self._inventory.dns
        found = resolver.configuration(self._api, service) if service else None
        return self._read("CoreDNS' configuration", found)

    def dns_of_pod(self, namespace: str, name: str) -> Mapping[str, Any]:
        """Return the dnsPolicy and dnsConfig with which a pod was admitted."""
        path = f"/api/v1/namespaces/{namespace}/pods/{name}"
        spec = self._api.get(path)["spec"]
        return self._read(path, {key: spec.get(key) for key in ("dnsPolicy", "dnsConfig")})

    @property
    def service_cidrs(self) -> tuple[str, ...]:
        """The CIDRs of the ServiceCIDR object ``kubernetes``; empty where there is none."""
        return self._cite("Service CIDRs", self._inventory.service_cidrs)

    def pods(self, *, namespace: str = "", selector: str = "") -> tuple[Pod, ...]:
        """Return the running pods that we may see.

        Args:
            namespace: those in it; without, those of every namespace.
            selector: those with these labels, such as ``app=my-app,tier!=cache``.
        """
        path = paths.pods(namespace) if namespace else paths.ALL_PODS
        found = tuple(self._running_pods(path, selector))
        self._read(f"{path}?{selector}" if selector else path, _shortened(found))
        return found

    def service(self, where: str) -> ServiceView:
        """Return a Service.

        Args:
            where: ``NAMESPACE/NAME``.

        Raises:
            ConfigError: there is none.
        """
        __tracebackhide__ = True
        namespace, _, name = where.partition("/")
        path = paths.inside(namespace, "services", name)
        found = self._api.find(path) if name else None
        if found is None:
            raise ConfigError(f"there is no Service {where}", remedy=self._instead(namespace, name))
        self._read(path, {"metadata": {"name": name}, "spec": found["spec"]})
        return ServiceView(namespace=namespace, name=name, spec=found["spec"])

    def slices(self, namespace: str, service: str) -> tuple[Slice, ...]:
        """Return the EndpointSlices of a Service."""
        path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
        selector = f"{paths.SERVICE_OF_SLICE}={service}"
        found = self._api.items(path, labelSelector=selector)
        return self._read(f"{path}?{selector}", tuple(_slice(item) for item in found))

    def address_texts(self) -> tuple[AddressText, ...]:
        """Return every address and CIDR that is written in the objects that we may see.

        These are Pods, Nodes, Services, EndpointSlices and IPAddresses.
        """
        found: list[AddressText] = []
        for kind, path in _WITH_ADDRESSES.items():
            for item in readable(self._api, path):
                found += texts.in_object(kind, item)
        self._read("addresses in objects", _shortened(found))
        return tuple(found)

    def propose(self, **spec: Any) -> Record[Outcome]:
        """Ask the API server what it would make of a Service; nothing is stored (dry run).

        Args:
            spec: fields of ``spec`` by their API names, over a selector and one port; None takes
                a field away.
        """
        body = objects.service("ipv6k8s-proposal", selector={"app": "ipv6k8s-proposal"})
        fields = {**body["spec"], **spec}
        body["spec"] = {name: value for name, value in fields.items() if value is not None}
        path = f"/api/v1/namespaces/{self.namespace}/services"
        started = time.monotonic()
        outcome = self._dry_run(path, body)
        return self._api.recorder.api_answer(
            {"verb": "create (dry run)", "path": path, "spec": body["spec"]},
            outcome,
            path=f"Service with {words.answer(spec) if spec else 'no fields'}",
            seconds=time.monotonic() - started,
        )

    def _dry_run(self, path: str, body: dict[str, Any]) -> Outcome:
        """Have an object validated; of several ranges of Services by the one that it asks of.

        A dry run is judged by a range that the API server picks at random (MetaAllocator.DryRun in
        pkg/registry/core/service/ipallocator/cidrallocator.go of kubernetes/kubernetes).
        """
        outcome = self._api.try_create(path, body)
        for _ in range(_DRY_RUNS if self._inventory.further_service_cidrs else 0):
            if not _ANOTHER_RANGE.search(outcome.message):
                break
            outcome = self._api.try_create(path, body)
        return outcome

    def free_addresses(self) -> dict[Family, str]:
        """Return for each family of the cluster a cluster IP that nobody has.

        Raises:
            Inconclusive: there is none for some family.
        """
        offered = self.propose(ipFamilyPolicy="PreferDualStack").answer
        addresses = offered.object.get("spec", {}).get("clusterIPs") or []
        if {Family.of(address) for address in addresses} != set(self.stack.families):
            why = offered.message or f"it offers {', '.join(addresses) or 'none'}"
            raise Inconclusive(f"the API server offers no free cluster IP of each family: {why}")
        return {Family.of(address): self._free_near(address) for address in addresses}

    def _free_near(self, address: str) -> str:
        """Look around: what a dry run offers is not always free."""
        family = Family.of(address)
        cidrs = (*self.service_cidrs, *self._inventory.further_service_cidrs)
        for wanted in _neighbours(address, cidrs):
            fields = {"clusterIP": wanted, "clusterIPs": [wanted], "ipFamilies": [family.value]}
            outcome = self.propose(**fields).answer
            if outcome.accepted:
                return wanted
        raise Inconclusive(f"found no free cluster IP near {address}: {outcome.message}")

    def _instead(self, namespace: str, name: str) -> str:
        """Return which Services a namespace has in place of one that it has not."""
        if not name:
            return "name it NAMESPACE/NAME"
        listed = readable(self._api, paths.inside(namespace, "services"))
        names = sorted(item["metadata"]["name"] for item in listed)
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        return f"namespace {namespace} has {', '.join(names[:5]) or 'none that may be seen'}{more}"

    def _running_pods(self, path: str, selector: str) -> Iterator[Pod]:
        labels = {"labelSelector": selector} if selector else {}
        for item in self._api.items(path, fieldSelector="status.phase=Running", **labels):
            spec = item["spec"]
            if item["metadata"].get("deletionTimestamp"):
                continue
            yield Pod(
                name=item["metadata"]["name"],
                namespace=item["metadata"]["namespace"],
                node=spec.get("nodeName", ""),
                ip=item["status"].get("podIP", ""),
                ips=status.pod_ips(item),
                host_ips=status.host_ips(item),
                host_network=bool(spec.get("hostNetwork")),
            )

    def _is_selected(self, node: Node) -> bool:
        return all(node.labels.get(key) == value for key, value in self._selector)

    def _read(self, what: str, answer: T) -> T:
        return self._api.recorder.api_answer({"verb": "read", "what": what}, answer).answer

    def _cite(self, what: str, fact: T) -> T:
        request = {"verb": "read when the run began", "what": what}
        return self._api.recorder.api_answer(request, fact).answer


_WITH_ADDRESSES = {
    "pods": paths.ALL_PODS,
    "nodes": paths.NODES,
    "services": "/api/v1/services",
    "endpointslices": "/apis/discovery.k8s.io/v1/endpointslices",
    "ipaddresses": "/apis/networking.k8s.io/v1/ipaddresses",
}


def _shortened(found: Sequence[object]) -> Mapping[str, object]:
    """Return what a record keeps of many objects."""
    return {"count": len(found), "first": tuple(found[:MOST_KEPT])}


def _neighbours(address: str, ranges: Iterable[str]) -> list[str]:
    """Return addresses near another one in random order, in its range as far as that is known."""
    base = ipaddress.ip_address(address)
    own = next((cidr for cidr in ranges if in_any(address, [cidr])), None)
    below, above = _NEAR, _NEAR
    if own:
        network = ipaddress.ip_network(own)
        below = min(_NEAR, int(base) - int(network.network_address) - 1)
        above = min(_NEAR, int(network.broadcast_address) - int(base) - 1)
    offsets = [offset for offset in range(-below, above + 1) if offset]
    return [str(base + offset) for offset in random.sample(offsets, min(len(offsets), _TRIES))]


def _slice(item: Object) -> Slice:
    return Slice(
        name=item["metadata"]["name"],
        service=item["metadata"]["labels"][paths.SERVICE_OF_SLICE],
        address_type=item["addressType"],
        addresses=tuple(
            address
            for endpoint in item.get("endpoints") or []
            if status.is_endpoint_ready(endpoint)
            for address in endpoint["addresses"]
        ),
    )
