"""A cluster as checks see it: facts are cited, whatever is read or proposed is recorded."""

from __future__ import annotations

import ipaddress
import random
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.errors import Inconclusive
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.kube import objects
from pytest_ipv6k8s.kube.client import Api, ApiError, Object, Outcome
from pytest_ipv6k8s.kube.inventory import DnsService, Inventory, Node

T = TypeVar("T")


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
class Slice:
    """An EndpointSlice; ``addresses`` are those of its ready endpoints."""

    name: str
    service: str
    address_type: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressText:
    """An address or CIDR as it is written in a field of an object."""

    where: str
    text: str


class ClusterView:
    """What a check may know of, and ask of, the cluster.

    Args:
        api: the API server; its recorder keeps the answers.
        inventory: the facts that were read when the run began.
        namespace: where proposals go.
        stack: the stack that is tested.
    """

    def __init__(self, api: Api, inventory: Inventory, namespace: str, stack: Stack) -> None:
        self._api = api
        self._inventory = inventory
        self.namespace = namespace
        self.stack = stack

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
        return self._cite("nodes", self._inventory.nodes)

    @property
    def dns(self) -> DnsService:
        """The Service of the cluster's DNS.

        Raises:
            Inconclusive: none was found; a check names the feature.
        """
        found = self._cite("cluster DNS Service", self._inventory.dns)
        if found is None:
            raise Inconclusive("no Service of the cluster's DNS was found")
        return found

    @property
    def service_cidrs(self) -> tuple[str, ...]:
        """The CIDRs of the ServiceCIDR object ``kubernetes``; empty where there is none."""
        return self._cite("Service CIDRs", self._inventory.service_cidrs)

    def pods(self) -> tuple[Pod, ...]:
        """Return all running pods that we may see, of every namespace."""
        return self._read("/api/v1/pods", tuple(self._running_pods()))

    def service(self, namespace: str, name: str) -> Mapping[str, Any]:
        """Return a Service object."""
        path = f"/api/v1/namespaces/{namespace}/services/{name}"
        found = self._api.get(path)
        return self._read(path, {"metadata": {"name": name}, "spec": found["spec"]})

    def dns_upstreams(self) -> tuple[str, ...]:
        """Return where CoreDNS forwards names outside the cluster: addresses, or a file's name.

        Raises:
            Inconclusive: there is no CoreDNS whose configuration we may read.
        """
        path = "/api/v1/namespaces/kube-system/configmaps/coredns"
        try:
            corefile = (self._api.find(path) or {}).get("data", {}).get("Corefile", "")
        except ApiError as error:
            raise Inconclusive(f"the Corefile cannot be read: {error}") from None
        if not corefile:
            raise Inconclusive("kube-system has no ConfigMap coredns with a Corefile")
        words = re.findall(r"^[ \t]*forward[ \t]+\.[ \t]+([^\n{]+)", corefile, re.MULTILINE)
        return self._read(path, tuple(word for line in words for word in line.split()))

    def slices(self, namespace: str, service: str) -> tuple[Slice, ...]:
        """Return the EndpointSlices of a Service."""
        path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
        selector = f"kubernetes.io/service-name={service}"
        found = self._api.items(path, labelSelector=selector)
        return self._read(f"{path}?{selector}", tuple(_slice(item) for item in found))

    def address_texts(self) -> tuple[AddressText, ...]:
        """Return every address and CIDR that is written in the objects that we may see.

        These are Pods, Nodes, Services, EndpointSlices and IPAddresses.
        """
        found: list[AddressText] = []
        for path, texts in _TEXTS.items():
            try:
                items = self._api.items(path)
            except ApiError as error:
                if error.code not in (403, 404):
                    raise
                continue
            for item in items:
                name = "/".join(
                    filter(None, (item["metadata"].get("namespace"), item["metadata"]["name"]))
                )
                kind = path.rsplit("/", 1)[1]
                found += [
                    AddressText(where=f"{kind} {name} {field}", text=text)
                    for field, text in texts(item)
                    if text and text != "None"
                ]
        return self._read("addresses in objects", tuple(found))

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
        outcome = self._api.try_create(path, body)
        return self._api.recorder.api_answer(
            {"verb": "create (dry run)", "path": path, "spec": spec},
            outcome,
            path=f"Service with {spec or 'no fields'}",
            seconds=time.monotonic() - started,
        )

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
        base, family = ipaddress.ip_address(address), Family.of(address)
        for offset in random.sample(range(1, 250), 10):
            wanted = str(base + offset)
            fields = {"clusterIP": wanted, "clusterIPs": [wanted], "ipFamilies": [family.value]}
            outcome = self.propose(**fields).answer
            if outcome.accepted:
                return wanted
        raise Inconclusive(f"found no free cluster IP near {address}: {outcome.message}")

    def _running_pods(self) -> Iterator[Pod]:
        for item in self._api.items("/api/v1/pods", fieldSelector="status.phase=Running"):
            status, spec = item["status"], item["spec"]
            if item["metadata"].get("deletionTimestamp"):
                continue
            yield Pod(
                name=item["metadata"]["name"],
                namespace=item["metadata"]["namespace"],
                node=spec.get("nodeName", ""),
                ip=status.get("podIP", ""),
                ips=tuple(entry["ip"] for entry in status.get("podIPs") or []),
                host_ips=tuple(entry["ip"] for entry in status.get("hostIPs") or []),
                host_network=bool(spec.get("hostNetwork")),
            )

    def _read(self, what: str, answer: T) -> T:
        return self._api.recorder.api_answer({"verb": "read", "what": what}, answer).answer

    def _cite(self, what: str, fact: T) -> T:
        request = {"verb": "read when the run began", "what": what}
        return self._api.recorder.api_answer(request, fact).answer


def _slice(item: Object) -> Slice:
    return Slice(
        name=item["metadata"]["name"],
        service=item["metadata"]["labels"]["kubernetes.io/service-name"],
        address_type=item["addressType"],
        addresses=tuple(
            address
            for endpoint in item.get("endpoints") or []
            if endpoint.get("conditions", {}).get("ready", True)
            for address in endpoint["addresses"]
        ),
    )


def _pod_texts(item: Object) -> Iterator[tuple[str, str]]:
    status = item.get("status", {})
    yield "status.podIP", status.get("podIP", "")
    yield "status.hostIP", status.get("hostIP", "")
    yield from (("status.podIPs", entry["ip"]) for entry in status.get("podIPs") or [])
    yield from (("status.hostIPs", entry["ip"]) for entry in status.get("hostIPs") or [])


def _node_texts(item: Object) -> Iterator[tuple[str, str]]:
    yield from (("spec.podCIDRs", cidr) for cidr in item.get("spec", {}).get("podCIDRs") or [])
    for entry in item.get("status", {}).get("addresses") or []:
        if entry["type"] in ("InternalIP", "ExternalIP"):
            yield f"status.addresses {entry['type']}", entry["address"]


def _service_texts(item: Object) -> Iterator[tuple[str, str]]:
    spec = item.get("spec", {})
    yield from (("spec.clusterIPs", ip) for ip in spec.get("clusterIPs") or [])
    yield from (("spec.externalIPs", ip) for ip in spec.get("externalIPs") or [])
    balancer = item.get("status", {}).get("loadBalancer", {})
    for entry in balancer.get("ingress") or []:
        yield "status.loadBalancer.ingress", entry.get("ip", "")


def _slice_texts(item: Object) -> Iterator[tuple[str, str]]:
    if item.get("addressType") == "FQDN":
        return
    for entry in item.get("endpoints") or []:
        yield from (("endpoints", address) for address in entry["addresses"])


def _ip_address_texts(item: Object) -> Iterator[tuple[str, str]]:
    yield "metadata.name", item["metadata"]["name"]


_TEXTS = {
    "/api/v1/pods": _pod_texts,
    "/api/v1/nodes": _node_texts,
    "/api/v1/services": _service_texts,
    "/apis/discovery.k8s.io/v1/endpointslices": _slice_texts,
    "/apis/networking.k8s.io/v1/ipaddresses": _ip_address_texts,
}
