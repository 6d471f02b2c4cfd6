"""EGR: what pods and nodes reach outside."""

from __future__ import annotations

from functools import partial
from typing import Any

from pytest_ipv6k8s import (
    WITH_IPV6,
    Family,
    Feature,
    Level,
    Record,
    check,
    expect,
    expect_all,
)
from pytest_ipv6k8s.addresses import Egress, same_address
from pytest_ipv6k8s.agent.ops import network_state, ping, tcp_connect, udp_exchange
from pytest_ipv6k8s.causes import first, unless
from pytest_ipv6k8s.suite import ClusterView, ExternalTargets, Probes
from pytest_ipv6k8s.suite.liveness import connection_to, expect_served, is_served_by, permitted
from pytest_ipv6k8s.suite.seen import unroutable

EGRESS_CAUSES = [
    unless(
        unroutable,
        "the CNI does not masquerade IPv6 (flannel --ip-masq, Calico natOutgoing, Cilium "
        "enable-ipv6-masquerade), and nobody routes the pod range back",
    ),
    first(
        unroutable,
        "the node forwards no IPv6, or lost its default route: accept_ra is not 2 where it "
        "forwards",
    ),
    unless(
        unroutable,
        "masquerading takes an address to which nothing returns: link-local, or deprecated",
    ),
]
NAT_LOOK = "ip -6 route; ip6tables -t nat -S POSTROUTING (on the node)"
egr = partial(check, stacks=WITH_IPV6, look=NAT_LOOK)
KEPT_BY_NODES = (Egress.NATIVE, Egress.MASQUERADE)


@egr(
    "EGR-01",
    rests_partly_on=["ADDR-05"],
    features=[Feature.IPV6_TARGET_TCP, Feature.EGRESS],
    references=["Kubernetes docs: the Kubernetes network model", "RFC 8200 section 3"],
    causes=EGRESS_CAUSES,
)
def test_pods_reach_an_ipv6_target_over_tcp(probes: Probes, external: ExternalTargets) -> None:
    """Pods on every node reach an IPv6 target outside the cluster over TCP."""
    target = external.ipv6_target_with("tcp")
    address = target.address(Family.V6)

    records = probes.from_every_node(tcp_connect.Request(address, target.tcp))

    expected = f"{connection_to(target)} from every node"
    expect_all(records, is_served_by(target), expected=expected)


@egr(
    "EGR-02",
    rests_partly_on=["EGR-01"],
    features=[Feature.IPV6_TARGET_UDP, Feature.EGRESS],
    references=["Kubernetes docs: the Kubernetes network model"],
    causes=["a packet filter passes TCP only", "the translation on the way out knows TCP only"],
)
def test_pods_reach_an_ipv6_target_over_udp(probes: Probes, external: ExternalTargets) -> None:
    """Pods on every node reach an IPv6 target outside the cluster over UDP.

    A datagram may be lost; a way that is shut loses all three.
    """
    target = external.ipv6_target_with("udp")
    request = udp_exchange.Request(target.address(Family.V6), target.udp, count=3)

    records = probes.from_every_node(request)

    expect_served(
        external.others(target.role),
        request,
        records,
        lambda record: record.answer.echoed,
        expected="an echo of UDP datagrams on every node",
    )


@egr(
    "EGR-21",
    rests_partly_on=["EGR-01"],
    level=Level.EXTENDED,
    features=[Feature.IPV6_TARGET_PING, Feature.EGRESS, Feature.ECHO_REQUESTS],
    references=["Kubernetes docs: the Kubernetes network model", "RFC 4443 section 4"],
    causes=[
        "a packet filter drops ICMPv6 echo (RFC 4890 section 4.3.1)",
        "the translation on the way out knows TCP and UDP only",
    ],
)
def test_an_ipv6_target_echoes_pods(probes: Probes, external: ExternalTargets) -> None:
    """Pods on every node get ICMPv6 echo replies of an IPv6 target outside the cluster.

    Some clouds' translation passes none (Azure NAT gateway): there no target is declared to answer.
    """
    target = external.ipv6_target_with("ping")
    request = ping.Request(target.address(Family.V6), count=3)

    records = probes.from_every_node(request)

    expect_served(
        external.others(target.role),
        request,
        permitted(records),
        lambda record: record.answer.received,
        expected="ICMPv6 echo replies on every node",
    )


@egr(
    "EGR-11",
    rests_partly_on=["EGR-01"],
    level=Level.EXTENDED,
    features=[Feature.HOST_NETWORK_PROBES, Feature.DUAL_TARGET_IDENTIFIES, Feature.EGRESS],
    references=["Kubernetes docs: the Kubernetes network model", "RFC 6724 section 5"],
    causes=[
        first(unroutable, "the node itself has no IPv6 route to the outside"),
        "the CNI's masquerade rule or egress gateway takes the node's own packets as well",
        "the node prefers an address that is deprecated, or that of another interface",
    ],
    look="ip -6 route get 2001:db8::; ip -6 addr (on the node)",
)
def test_nodes_reach_the_outside_with_an_address_of_their_own(
    probes: Probes, external: ExternalTargets, cluster: ClusterView
) -> None:
    """Processes in a node's network reach an IPv6 target, which sees an address of that node.

    With NPTv6 or a gateway behind the nodes, their packets may be translated as well: then the
    source is not judged.
    """
    target, address = external.target("dual"), external.address("dual", Family.V6)

    states = probes.ask_each(lambda probe: [network_state.Request()], among=probes.hosts)
    records = probes.ask_each(
        lambda probe: [tcp_connect.Request(address, target.tcp)], among=probes.hosts
    )

    expected = f"{connection_to(target)} to every node"
    expect_all(records, is_served_by(target), expected=expected)
    own = {state.source: [item.address for item in state.answer.addresses] for state in states}
    for node in cluster.nodes:
        for probe in probes.hosts:
            if probe.node == node.name:
                own[probe.name] += (*node.internal_ips, *node.external_ips)
    if external.network.egress in KEPT_BY_NODES:
        expect_all(
            records,
            lambda r: any(same_address(r.answer.seen_source, ip) for ip in own[r.source]),
            expected="the node's own address as source",
        )


@egr(
    "EGR-14",
    rests_on=["EGR-01"],
    level=Level.EXTENDED,
    features=[Feature.IPV6_TARGET_TCP, Feature.EGRESS, Feature.TWO_NODES],
    references=["Kubernetes docs: the Kubernetes network model"],
    causes=[
        "one node lacks a route, a forwarding sysctl or the CNI's masquerade rules",
        "the CNI's agent does not run there: a taint that it does not tolerate",
        "a node's packet filter or security group differs from the others'",
    ],
    look="ip -6 route; sysctl net.ipv6.conf.all.forwarding (on the node)",
)
def test_every_node_gets_the_same_way_out(probes: Probes, external: ExternalTargets) -> None:
    """Pods get the same answers from outside on every node, the control plane included.

    By TCP, and as far as the target answers to them, UDP and ICMPv6: reached or not. It names the
    node that differs; why, EGR-01 tells.
    """
    target = external.ipv6_target_with("tcp")
    address = target.address(Family.V6)

    tcp = probes.from_every_node(tcp_connect.Request(address, target.tcp))
    ways: list[tuple[Record[Any], bool]] = [(r, r.answer.connected) for r in tcp]
    if target.udp:
        udp = probes.from_every_node(udp_exchange.Request(address, target.udp, count=3))
        ways += [(r, bool(r.answer.echoed)) for r in udp]
    if target.ping:
        icmp = probes.from_every_node(ping.Request(address, count=3))
        if all(record.answer.permitted for record in icmp):
            ways += [(r, bool(r.answer.received)) for r in icmp]

    results = {
        tuple((r.request["op"], reached) for r, reached in ways if r.source == probe.name)
        for probe in probes.one_per_node
    }
    lost = [record for record, reached in ways if not reached]
    expect(len(results) <= 1, expected="the same answers on every node", actual=lost)
    reached = any(record.answer.connected for record in tcp)
    expect(reached, expected="a node that gets out at all", actual=tcp)
