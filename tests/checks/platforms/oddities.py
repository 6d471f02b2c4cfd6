"""Healthy clusters of any platform that are odd in one way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.agent.ops import network_state
from pytest_ipv6k8s.features import Feature
from pytest_ipv6k8s.probe.probes import ProbePod
from tests.checks.platforms.platform import Platform
from tests.checks.shape import plain
from tests.checks.world import World

_SILENT: dict[str, dict[str, Any]] = {
    "udp_exchange": {"echoed": 0, "error": ""},
    "ping": {"received": 0},
    "hop_limit": {"icmp_type": -1, "icmp_code": -1, "error": "ETIMEDOUT"},
}
_PROHIBITED: dict[str, dict[str, Any]] = {
    "udp_exchange": {"echoed": 0, "error": "EACCES"},
    "hop_limit": {"icmp_type": 1, "icmp_code": 1},
}


def _nodes_answer(changes: dict[str, dict[str, Any]]) -> Callable[[World], None]:
    """Let nodes answer other nodes' pods in another way, by operation."""

    def prepare(world: World) -> None:
        nodes = {ip for node in world.nodes for ip in node.host_ips}
        for operation, changed in changes.items():

            def change(pod: ProbePod, request: Any, answer: Any, changed: Any = changed) -> Any:
                other = request.address in nodes and request.address not in pod.host_ips
                return replace(answer, **changed) if other else answer

            world.override(operation, change)

    return prepare


ODDITIES = (
    Platform(
        name="Talos, ingress firewall",
        sources=("https://www.talos.dev/latest/talos-guides/network/ingress-firewall/",),
        told="nodes that drop echo requests and unknown UDP from pods of other nodes",
        shape=plain(Stack.DUAL),
        prepare=_nodes_answer(_SILENT),
    ),
    Platform(
        name="nodes with firewalld",
        sources=("firewalld/firewalld: config/zones, target %%REJECT%%",),
        told="nodes that refuse UDP as administratively prohibited (ICMPv6 type 1, code 1)",
        shape=plain(Stack.DUAL),
        prepare=_nodes_answer(_PROHIBITED),
    ),
    Platform(
        name="Multus",
        sources=(
            "k8snetworkplumbingwg/multus-cni: docs/configuration.md, defaultNetworks",
            "https://docs.kernel.org/networking/ip-sysctl.html",
        ),
        told="a second network, IPv4 only, in every pod; IPv6 off for new interfaces",
        shape=replace(
            plain(Stack.IPV6),
            more_addresses=(network_state.Address("net1", "192.168.50.2", 24, "global"),),
            sysctls={
                "net.ipv6.conf.net1.disable_ipv6": "1",
                "net.ipv6.conf.default.disable_ipv6": "1",
            },
        ),
    ),
    Platform(
        name="one node",
        sources=("https://kubernetes.io/docs/setup/production-environment/#control-plane-setup",),
        told="nothing to cross",
        shape=replace(plain(Stack.DUAL), count=1),
        lacks={Feature.TWO_NODES: "there is one"},
    ),
    Platform(
        name="nodes with room for one probe each",
        sources=(
            "https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/",
        ),
        told="no node takes a second probe",
        shape=replace(plain(Stack.DUAL), probes=2),
        lacks={Feature.PEER: "there is no room"},
    ),
    Platform(
        name="a quota of one pod",
        sources=("https://kubernetes.io/docs/concepts/policy/resource-quotas/",),
        told="one probe alone",
        shape=replace(plain(Stack.DUAL), probes=1),
        lacks=dict.fromkeys(
            (Feature.PEER, Feature.TWO_NODES, Feature.TWO_PROBES), "there is one probe"
        ),
    ),
    Platform(
        name="an IPv4-only pool, not selected",
        sources=("https://kubernetes.io/docs/concepts/services-networking/dual-stack/",),
        told="two of four nodes have no IPv6, and `--ipv6k8s-node-selector` leaves them out",
        shape=replace(
            plain(Stack.DUAL),
            count=4,
            without_ipv6=frozenset({0, 2}),
            labels={1: {"pool": "dual"}, 3: {"pool": "dual"}},
            selector=(("pool", "dual"),),
        ),
    ),
    Platform(
        name="a node that joins",
        sources=("https://kubernetes.io/docs/reference/node/node-status/",),
        told="not Ready, without addresses of pods and without podCIDRs of IPv6",
        shape=replace(
            plain(Stack.DUAL), count=3, not_ready=frozenset({2}), without_ipv6=frozenset({2})
        ),
    ),
    Platform(
        name="500 nodes",
        sources=("https://kubernetes.io/docs/setup/best-practices/cluster-large/",),
        told="ten of them are probed",
        shape=replace(plain(Stack.DUAL), count=500, pod_cidrs=("10.0.0.0/24", "fd01::/64")),
        areas=("ADDR", "NODE"),
    ),
)
