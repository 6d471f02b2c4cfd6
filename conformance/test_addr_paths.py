"""Paths between pods: on one node and across nodes, by TCP and UDP, without translation."""

from __future__ import annotations

from functools import partial

from pytest_ipv6k8s import Family, Feature, check, eventually, expect, expect_all
from pytest_ipv6k8s.agent.ops import tcp_connect
from pytest_ipv6k8s.agent.ports import TCP_PORT
from pytest_ipv6k8s.suite import Probes
from pytest_ipv6k8s.suite.paths import echoed_by_owner, seen_as_itself

DATAGRAMS = 10
CROSS_NODE_CAUSES = (
    "the route to the other node's podCIDR is missing for this family",
    "the underlay does not carry pod addresses of this family: security group, firewall, "
    "missing tunnel, forwarding off (net.ipv6.conf.all.forwarding)",
    "neighbour discovery between the nodes is filtered",
)
ROUTES_LOOK = "ip -6 route; ip -6 neigh (on the nodes named above); the CNI agent's log there"


paths = partial(check, families=Family, look=ROUTES_LOOK)


@paths(
    "ADDR-15",
    features=[Feature.PEER],
    references=["Kubernetes docs: the Kubernetes network model"],
    causes=[
        "the node's bridge or routes do not forward between two pods in this family",
        "a packet filter drops bridged or forwarded packets (bridge-nf-call-ip6tables)",
    ],
    matrix=True,
)
def test_pods_on_one_node_reach_each_other(family: Family, probes: Probes) -> None:
    """Two pods on one node reach each other over TCP."""
    pair = (probes[0], probes.peer)

    eventually(
        lambda: probes.ask_each(
            lambda probe: [
                tcp_connect.Request(other.address(family), TCP_PORT)
                for other in pair
                if other is not probe
            ],
            among=pair,
        ),
        echoed_by_owner(probes),
        expected="both pods of the node echo",
    )


@paths(
    "ADDR-16",
    features=[Feature.TWO_NODES],
    references=["Kubernetes docs: the Kubernetes network model", "KEP-563"],
    causes=CROSS_NODE_CAUSES,
    matrix=True,
)
def test_pods_on_different_nodes_reach_each_other(family: Family, probes: Probes) -> None:
    """Pods on different nodes reach each other over TCP, in both directions."""
    eventually(
        lambda: probes.ask_each(
            lambda probe: [
                tcp_connect.Request(other.address(family), TCP_PORT)
                for one, other in probes.pairs()
                if one is probe
            ],
            among=probes.one_per_node,
        ),
        echoed_by_owner(probes),
        expected="every pod on another node echoes",
    )


@paths(
    "ADDR-20",
    references=["Kubernetes docs: the Kubernetes network model (no NAT between pods)"],
    causes=[
        "the CNI or the Service proxy masquerades traffic between pods: its idea of the cluster "
        "range lacks this family (flannel --ip-masq, ipMasq, nonMasqueradeCIDRs, clusterCIDR)",
        "an ip-masq-agent knows the IPv4 ranges only",
    ],
    look="ip6tables -t nat -S POSTROUTING; nft list ruleset (on the asking pod's node)",
)
def test_pods_see_each_other_without_translation(family: Family, probes: Probes) -> None:
    """A pod sees the address of the pod that talks to it, not one of a node."""
    records = probes.ask_each(
        lambda probe: [
            tcp_connect.Request(other.address(family), TCP_PORT)
            for other in probes
            if other is not probe
        ]
    )

    reached = [record for record in records if record.answer.seen_source]
    expect(reached, expected="at least one pair of pods that talk", actual=records)
    expect_all(
        reached, seen_as_itself(probes, family), expected="the asking pod's own address as source"
    )
