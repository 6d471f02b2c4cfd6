"""EGR: what pods reach outside, and as whom they are seen."""

from __future__ import annotations

from pytest_ipv6k8s import WITH_IPV6, Family, Need, check, expect
from pytest_ipv6k8s.probe.ops import tcp_connect

EGRESS_CAUSES = [
    "the CNI does not masquerade IPv6 (flannel --ip-masq, Calico natOutgoing, Cilium "
    "enable-ipv6-masquerade), and nobody routes the pod range back",
    "the node forwards no IPv6, or lost its default route: accept_ra is not 2 where it forwards",
]


@check(
    "EGR-01",
    stacks=WITH_IPV6,
    needs=[Need.IPV6_TARGET, Need.EGRESS],
    references=["Kubernetes docs: the Kubernetes network model", "RFC 8200 section 3"],
    causes=EGRESS_CAUSES,
    look="ip -6 route; ip6tables -t nat -S POSTROUTING (on the asking pod's node)",
)
def test_pods_reach_an_ipv6_target_over_tcp(probes, outside):
    """Pods on every node reach an IPv6 target outside the cluster over TCP."""
    target = outside.world.ipv6_target
    address = target.address(Family.V6)

    records = probes.ask_each(
        lambda probe: [tcp_connect.Request(address, target.tcp)], among=probes.one_per_node
    )

    failed = [record for record in records if not record.answer.connected]
    expect(not failed, expected="a connection from every node", seen=failed)
