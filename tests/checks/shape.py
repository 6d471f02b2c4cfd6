"""The facts in which healthy clusters differ: their nodes, and who has which address."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.agent.ops.network_state import Address, Route
from pytest_ipv6k8s.kube.inventory import Node
from pytest_ipv6k8s.kube.taints import Taint
from pytest_ipv6k8s.probe.placing import Placed, Wish, place
from pytest_ipv6k8s.probe.probes import ProbePod
from tests.checks.api_objects import NAMESPACE

MOST_PROBES = 10
EVERY = " every /"


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A cluster's facts. Addresses and ranges are the first node's; the next node has the next,
    or where a text ends in ``every /96``, the one that stands alike in the next /96.

    Attributes:
        stack: the families of Services.
        count: how many nodes there are.
        nodes: InternalIPs.
        external: ExternalIPs, all of them texts as a provider writes them.
        pod_cidrs: podCIDRs of the Node object; empty where nobody allocates any.
        pods: the ranges from which pods get addresses; the podCIDRs, where it is empty.
        service_cidrs: from which Services get theirs.
        without_ipv6: indexes of nodes that have no IPv6.
        not_ready: indexes of nodes that are not Ready.
        taints: of nodes, by index.
        labels: of nodes, by index.
        selector: which nodes are to be tested.
        probes: for how many probe pods there is room.
        pod_cidrs_used: whether the CNI is known to use podCIDRs.
        policy_engine: what is known to enforce NetworkPolicy.
        dns: the Service of the cluster's DNS, as ``namespace/name``.
        dns_port: on which the pods behind it serve.
        nameservers: of pods, where they are not that Service's address alone.
        coredns: whether the pods behind that Service mount a Corefile.
        room: bytes by which routes leave room for a tunnel in the MTU of interfaces.
        more_addresses, more_routes: of every pod, beside those of the podIPs.
        sysctls: of every pod that are not 0.
    """

    stack: Stack
    count: int = 2
    nodes: tuple[str, ...]
    external: tuple[str, ...] = ()
    pod_cidrs: tuple[str, ...] = ()
    pods: tuple[str, ...] = ()
    service_cidrs: tuple[str, ...]
    without_ipv6: frozenset[int] = frozenset()
    not_ready: frozenset[int] = frozenset()
    taints: Mapping[int, tuple[Taint, ...]] = field(default_factory=dict)
    labels: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    selector: tuple[tuple[str, str], ...] = ()
    probes: int = MOST_PROBES + 1
    pod_cidrs_used: bool = True
    policy_engine: str = "fake"
    dns: str = "kube-system/kube-dns"
    dns_port: int = 53
    nameservers: tuple[str, ...] = ()
    coredns: bool = True
    room: int = 0
    more_addresses: tuple[Address, ...] = ()
    more_routes: tuple[Route, ...] = ()
    sysctls: Mapping[str, str] = field(default_factory=dict)

    @property
    def dns_namespace(self) -> str:
        """The namespace of the cluster's DNS."""
        return self.dns.partition("/")[0]

    @functools.cached_property
    def placed(self) -> Placed:
        """Where probes are put."""
        wish = Wish(most=MOST_PROBES, selector=dict(self.selector))
        return place([self.node(index) for index in range(self.count)], wish)

    @property
    def probed(self) -> list[int]:
        """The indexes of the nodes on which probes stand."""
        chosen = {node.name for node in self.placed.nodes}
        return [index for index in range(self.count) if f"node-{index}" in chosen]

    @property
    def complete(self) -> list[int]:
        """The indexes of those whose pods have all families."""
        return [index for index in self.probed if index not in self.without_ipv6]

    def node(self, index: int) -> Node:
        """Return what the API says of a node."""
        return Node(
            name=f"node-{index}",
            internal_ips=self._had(index, (_address(first, index) for first in self.nodes)),
            external_ips=self._had(index, (_address(first, index) for first in self.external)),
            pod_cidrs=self._had(index, (_range(first, index) for first in self.pod_cidrs)),
            ready=index not in self.not_ready,
            labels=self.labels.get(index, {}),
            kubelet="v1.36.3",
            kernel="6.18",
            runtime="containerd",
            taints=self.taints.get(index, ()),
        )

    def pod(self, name: str, index: int, number: int) -> ProbePod:
        """Return a pod on a node, by its number there."""
        ranges = [_range(first, index) for first in self.pods or self.pod_cidrs]
        return ProbePod(
            name=name,
            namespace=NAMESPACE,
            node=f"node-{index}",
            ips=self._had(index, (_nth(cidr, number) for cidr in ranges)),
            host_ips=self.node(index).host_ips,
        )

    def _had(self, index: int, addresses: Iterable[str]) -> tuple[str, ...]:
        """Return the addresses that a node or its pods have."""
        without = Family.V6 if index in self.without_ipv6 else None
        return tuple(ip for ip in addresses if Family.of(ip) is not without)


def _address(first: str, index: int) -> str:
    """Return a node's address."""
    text, step = _with_step(first, 1)
    return str(ipaddress.ip_address(text) + index * step)


def _range(first: str, index: int) -> str:
    """Return a node's range."""
    network = ipaddress.ip_network(first.partition(EVERY)[0])
    _, step = _with_step(first, network.num_addresses)
    return f"{network.network_address + index * step}/{network.prefixlen}"


def _with_step(first: str, step: int) -> tuple[str, int]:
    """Return what stands before ``every``, and how far the next node's is."""
    text, _, every = first.partition(EVERY)
    return text, 2 ** (128 - int(every)) if every else step


def _nth(cidr: str, number: int) -> str:
    return str(ipaddress.ip_network(cidr).network_address + number)


_PLAIN = Shape(
    stack=Stack.DUAL,
    nodes=("172.18.0.2", "fd00:18::2"),
    pod_cidrs=("10.244.0.0/24", "fd00:10:244:1::/64"),
    service_cidrs=("10.96.0.0/16", "fd00:10:96::/112"),
)


def plain(stack: Stack) -> Shape:
    """Return a cluster of two nodes whose pods get their addresses from podCIDRs."""
    return replace(
        _PLAIN,
        stack=stack,
        nodes=_of(stack, _PLAIN.nodes),
        pod_cidrs=_of(stack, _PLAIN.pod_cidrs),
        service_cidrs=_of(stack, _PLAIN.service_cidrs),
    )


def _of(stack: Stack, addresses: Iterable[str]) -> tuple[str, ...]:
    """Return the addresses of a stack's families, in its order."""
    by_family = {Family.of(address): address for address in addresses}
    return tuple(by_family[family] for family in stack.families)
