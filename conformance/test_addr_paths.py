"""Paths between pods: on one node and across nodes, by TCP and UDP, without translation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from pytest_ipv6k8s import Beside, Family, Feature, check
from pytest_ipv6k8s.agent.ops import tcp_connect
from pytest_ipv6k8s.agent.ports import TCP_PORT
from pytest_ipv6k8s.causes import Seen, either, first, only, told, unless
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.suite import Probe, Probes
from pytest_ipv6k8s.suite.one_way import tell_directions, tell_neighbours
from pytest_ipv6k8s.suite.paths import (
    PATHS_STAND,
    PATIENT,
    echoed_by_owner,
    expect_every_try,
    expect_untranslated,
)
from pytest_ipv6k8s.suite.seen import silent, unroutable


def _datagrams_pass(seen: Seen) -> bool:
    """Hold where datagrams arrive both ways on all dead paths: no way is missing."""
    arrive = [text for text in seen.told if text.startswith("datagrams ")]
    return bool(arrive) and not any("are lost" in text for text in arrive)


def _tell_of_ends(
    probes: Probes, family: Family, failed: Sequence[Record[tcp_connect.Answer]]
) -> None:
    dead = list(_ends(probes, failed))
    tell_directions(probes, family, dead)
    tell_neighbours(probes, family, dead)


CROSS_NODE_CAUSES = (
    only(
        told("in place of .* the path works"),
        "a pod's own network, as another on its node gets through: its routes, hop limit, packet "
        "filter or sidecar",
    ),
    only(
        told(r"forwarding is 0|ip_forward is 0"),
        "a node has forwarding off (net.ipv6.conf.all.forwarding, net.ipv4.ip_forward)",
    ),
    unless(
        _datagrams_pass,
        first(
            either(unroutable, told("has no route to|to its default route")),
            "the route to the other node's podCIDR is missing for this family, or leads nowhere",
        ),
    ),
    first(
        silent,
        "the underlay does not carry pod addresses of this family: security group, firewall, "
        "missing tunnel, forwarding off (net.ipv6.conf.all.forwarding)",
    ),
    unless(_datagrams_pass, "neighbour discovery between the nodes is filtered"),
)
ROUTES_LOOK = "ip -6 route; ip -6 neigh (on the node)"


paths = partial(check, families=Family, look=ROUTES_LOOK)


def _connections(
    probes: Probes,
    family: Family,
    pairs: Sequence[tuple[Probe, Probe]],
    timeout: float = PATIENT,
) -> list[Record[tcp_connect.Answer]]:
    """Connect once from the one to the other of each pair."""
    return probes.ask_each(
        lambda probe: [
            tcp_connect.Request(other.address(family), TCP_PORT, timeout=timeout)
            for one, other in pairs
            if one is probe
        ],
        among=list(dict.fromkeys(one for one, _ in pairs)),
    )


def _ends(
    probes: Probes, records: Sequence[Record[tcp_connect.Answer]]
) -> Iterator[tuple[Probe, Probe]]:
    for record in records:
        yield probes.named(record.source), probes.owner(record.request["address"])


@paths(
    "ADDR-15",
    rests_partly_on=["ADDR-26"],
    beside=[Beside.PEERS],
    features=[Feature.PEER],
    references=["Kubernetes docs: the Kubernetes network model"],
    causes=[
        "the node's bridge or routes do not forward between two pods in this family",
        "a packet filter drops bridged or forwarded packets (bridge-nf-call-ip6tables)",
    ],
    matrix=True,
)
def test_pods_on_one_node_reach_each_other(family: Family, probes: Probes) -> None:
    """Two pods on one node reach each other over TCP, on every node that has two."""
    one_way = list(probes.pairs_on_one_node())
    pairs = [*one_way, *((other, one) for one, other in one_way)]

    expect_every_try(
        lambda tries, timeout: _connections(probes, family, pairs * tries, timeout),
        echoed_by_owner(probes),
        expected="both pods of a node echo",
        ready_at=probes.ready_at,
        timeout=PATHS_STAND,
    )


@paths(
    "ADDR-16",
    beside=[Beside.HOSTS, Beside.PEERS],
    rests_partly_on=["ADDR-05"],
    features=[Feature.TWO_NODES],
    references=["Kubernetes docs: the Kubernetes network model", "KEP-563"],
    causes=CROSS_NODE_CAUSES,
    matrix=True,
)
def test_pods_on_different_nodes_reach_each_other(family: Family, probes: Probes) -> None:
    """Pods on different nodes reach each other over TCP, in both directions."""
    pairs = list(probes.pairs())

    expect_every_try(
        lambda tries, timeout: _connections(probes, family, pairs * tries, timeout),
        echoed_by_owner(probes),
        expected="every pod on another node echoes",
        ready_at=probes.ready_at,
        timeout=PATHS_STAND,
        on_failure=lambda failed: _tell_of_ends(probes, family, failed),
    )


@paths(
    "ADDR-20",
    rests_on=["ADDR-16"],
    rests_partly_on=["ADDR-15"],
    features=[Feature.TWO_PROBES],
    references=["Kubernetes docs: the Kubernetes network model (no NAT between pods)"],
    causes=[
        "the CNI or the Service proxy masquerades traffic between pods: its idea of the cluster "
        "range lacks this family (flannel --ip-masq, ipMasq, nonMasqueradeCIDRs, clusterCIDR)",
        "an ip-masq-agent knows the IPv4 ranges only",
    ],
    look="ip6tables -t nat -S POSTROUTING; nft list ruleset (on the node)",
)
def test_pods_see_each_other_without_translation(family: Family, probes: Probes) -> None:
    """A pod sees the address of the pod that talks to it, not one of a node."""
    pairs = [(one, other) for one in probes for other in probes if one is not other]

    expect_untranslated(_connections(probes, family, pairs), probes, family)
