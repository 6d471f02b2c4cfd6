"""EGR: what translation on the way out must not break: ports, errors, fragments."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from pytest_ipv6k8s import (
    WITH_IPV6,
    Family,
    Feature,
    Inconclusive,
    Level,
    Record,
    check,
    expect_all,
)
from pytest_ipv6k8s.addresses import same_address
from pytest_ipv6k8s.agent.ops import tcp_connect, tcp_flows, udp_exchange
from pytest_ipv6k8s.agent.ports import TCP_PORT
from pytest_ipv6k8s.external.model import Role
from pytest_ipv6k8s.suite import ExternalTargets, Probes
from pytest_ipv6k8s.suite.datagrams import require_fragments
from pytest_ipv6k8s.suite.liveness import expect_served
from pytest_ipv6k8s.suite.paths import echoed_by_owner

FIRST_PORT, FLOWS, ASKERS = 20000, 500, 4
TRACEROUTE_PORT = 33499  # closed, and packet filters let it be refused
egr = partial(check, stacks=WITH_IPV6)


@egr(
    "EGR-09",
    rests_on=["EGR-01"],
    features=[Feature.DUAL_TARGET_IDENTIFIES, Feature.EGRESS, Feature.PEER],
    level=Level.EXTENDED,
    references=["RFC 4787 section 4.2.1", "RFC 5382 section 7.1"],
    causes=[
        "the masquerade rule has too small a port range (--to-ports), or the node ran out of ports",
        "the translation keeps the source port at any price: two pods' flows become one",
        "the conntrack table is full (nf_conntrack: table full, dropping packet)",
    ],
    look="conntrack -S; sysctl -a | grep nf_conntrack_ (on the node)",
)
def test_flows_with_equal_source_ports_do_not_collide(
    probes: Probes, external: ExternalTargets
) -> None:
    """Pods that use the same 500 source ports towards one target at the same time all get through.

    The first probe and the peer share a node, so with masquerading they share its address.
    """
    target, address = external.target("dual"), external.address("dual", Family.V6)
    asked = (probes.peer, *probes.one_per_node)[:ASKERS]
    request = tcp_flows.Request(address, target.tcp, first_port=FIRST_PORT, count=FLOWS)

    records = probes.ask_each(lambda _: [request], among=asked)

    if any(record.answer.taken > FLOWS // 10 for record in records):
        raise Inconclusive("too many of the source ports are taken in a probe")
    if not all(map(_lost_none, records)):
        _require_room(external, request)
    expect_all(records, _lost_none, expected="an echo on every one of the connections")


def _require_room(external: ExternalTargets, request: tcp_flows.Request) -> None:
    """Require that the target, and what stands before it, take as many flows of somebody else."""
    elsewhere = external.others(Role.DUAL)
    if not elsewhere:
        raise Inconclusive(
            "connections are lost, and no other target can be asked whether the target loses them: "
            "declare `ask` of `v6`"
        )
    control = elsewhere[0].ask(request)
    if not _lost_none(control):
        raise Inconclusive(f"the target loses connections of hosts outside: {control}")


def _lost_none(record: Record[tcp_flows.Answer]) -> bool:
    return record.answer.answered >= record.answer.opened


@egr(
    "EGR-13",
    rests_partly_on=["EGR-02", "EGR-01"],
    features=[Feature.DUAL_TARGET_UDP, Feature.EGRESS],
    references=["RFC 4443 section 3.1", "RFC 5508 section 4.2", "RFC 4890 section 4.3.1"],
    causes=[
        "a packet filter drops ICMPv6 type 1 towards pods or nodes",
        "the translation does not map the packet inside the error back to the pod",
        "ICMPv6 errors are taken for INVALID by conntrack and dropped",
    ],
    look="nft list ruleset; ip6tables -S FORWARD (on the node)",
)
def test_port_unreachable_comes_back_to_the_pod(probes: Probes, external: ExternalTargets) -> None:
    """A datagram to a closed port outside brings ECONNREFUSED to the pod's socket.

    Where no pod gets it, another target has to: else the target drops what it should refuse.
    """
    target, address = external.target("dual"), external.address("dual", Family.V6)
    closed = udp_exchange.Request(address, TRACEROUTE_PORT, count=3)

    refused = probes.from_every_node(closed)
    opened = probes.from_every_node(udp_exchange.Request(address, target.udp, count=3))

    expect_served(
        external.others(Role.DUAL),
        closed,
        refused,
        lambda record: record.answer.error == "ECONNREFUSED",
        expected="ECONNREFUSED on every node",
    )
    expect_all(opened, lambda r: r.answer.echoed, expected="an echo where the port is open")


@egr(
    "EGR-17",
    rests_partly_on=["EGR-01"],
    level=Level.EXTENDED,
    features=[Feature.NATIVE_EGRESS, Feature.SPEAKING_TARGET],
    references=["Kubernetes docs: the Kubernetes network model", "RFC 8200 section 3"],
    causes=[
        "the routes back to the pods' ranges are missing, or lead to the wrong node",
        "a packet filter at the edge or on the node admits replies only",
        "the node masquerades what comes from outside, so pods do not see the true source",
    ],
    look="ip -6 route (on the node)",
)
def test_the_outside_reaches_pods_directly(probes: Probes, external: ExternalTargets) -> None:
    """With native egress a host outside reaches every podIP and is seen with its own address."""
    host = external.host("dual")

    records = host.ask_all(
        [tcp_connect.Request(probe.address(Family.V6), TCP_PORT) for probe in probes]
    )

    expect_all(records, echoed_by_owner(probes), expected="every pod echoes")
    own = external.address("dual", Family.V6)
    expect_all(records, lambda r: same_address(r.answer.seen_source, own), expected=f"source {own}")


@egr(
    "EGR-18",
    rests_partly_on=["EGR-02", "EGR-01", "MTU-05"],
    level=Level.EXTENDED,
    features=[Feature.DUAL_TARGET_UDP, Feature.EGRESS],
    references=["RFC 8200 section 4.5", "RFC 4787 section 11", "RFC 8085 section 5.1"],
    causes=[
        "the CNI's data path drops IPv6 fragments: only the first one has ports",
        "fragments are not defragmented before translation (nf_defrag_ipv6), so later ones leave "
        "with the pod's address",
        "the reply is translated to another address than the one that was asked",
    ],
    look="nft list ruleset; nstat -az 'Ip6Reasm*' (on the node)",
)
def test_udp_replies_come_from_where_they_were_asked(
    probes: Probes, external: ExternalTargets
) -> None:
    """UDP replies come from the address and port that was asked, also to a fragmented datagram.

    The sockets are connected: what comes from elsewhere is not heard. The small datagrams tell
    whether it is the fragments, of which the pod's kernel has to have made some. These may also be
    lost beyond the cluster, where networks drop them (RFC 7872, RFC 8900): declare `udp` of a
    target to which they get.
    """
    target, address = external.target("dual"), external.address("dual", Family.V6)

    small = udp_exchange.Request(address, target.udp, count=3)
    for size, request in (
        ("small", small),
        ("fragmented", replace(small, how=udp_exchange.FRAGMENTED)),
    ):
        records = probes.from_every_node(request)

        expect_served(
            external.others(Role.DUAL),
            request,
            records,
            lambda record: record.answer.echoed,
            expected=f"an echo of {size} datagrams on every node",
        )
    require_fragments(records)
