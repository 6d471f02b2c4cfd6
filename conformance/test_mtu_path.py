"""MTU: path MTU discovery towards a peer behind a narrow link (RFC 8201)."""

from __future__ import annotations

from functools import partial

from pytest_ipv6k8s import (
    WITH_IPV6,
    Family,
    Feature,
    Inconclusive,
    Level,
    Record,
    check,
    expect,
    expect_all,
    remark,
)
from pytest_ipv6k8s.addresses import same_address
from pytest_ipv6k8s.agent.ops import (
    forged_too_big,
    icmpv6_counters,
    tcp_connect,
    tcp_transfer,
    udp_exchange,
    udp_sized,
)
from pytest_ipv6k8s.checks import FamiliesOf
from pytest_ipv6k8s.probe.services import HTTP, TCP
from pytest_ipv6k8s.suite import ExternalTargets, Probes, Services, Target

NARROW = 1280
LARGE = 1400
FORGED = 1000
TCP_HEADERS = 60
PTB_CAUSES = [
    "ICMPv6 packet-too-big is dropped on its way to the pod: a filter on the node or in the CNI "
    "(RFC 4890 forbids it)",
    "the message reaches the node and is not translated back to the pod (masquerade, eBPF "
    "datapath: cilium/cilium 16080, 35489)",
]
LOOK = "ip -6 route get ADDRESS (in a pod)"
mtu = partial(check, stacks=WITH_IPV6, causes=PTB_CAUSES, look=LOOK)


@mtu(
    "MTU-07",
    rests_on=["EGR-01"],
    rests_partly_on=["EGR-02"],
    features=[Feature.NARROW_TARGET_HTTP, Feature.NARROW_TARGET_UDP, Feature.EGRESS],
    references=["RFC 8201 section 4", "RFC 4443 section 3.2"],
)
def test_transfers_adapt_to_a_narrow_path(probes: Probes, external: ExternalTargets) -> None:
    """One MiB passes in both directions behind a 1280-byte link, and the pod learns that MTU.

    What the pod learned is seen by a datagram: a peer that knows the path already offers a smaller
    MSS, and then TCP has nothing to learn.
    """
    target = external.target("narrow")
    address = target.address(Family.V6)
    requests = [
        tcp_transfer.Request(address, target.http, direction=direction)
        for direction in ("up", "down")
    ]

    records = probes.from_every_node(*requests)
    learning = _large_datagrams(probes, target)

    expect_all(records, lambda r: r.answer.intact, expected="1 MiB, intact, from and to every node")
    expect_all(
        learning,
        lambda record: record.answer.path_mtu == NARROW,
        expected=f"a path MTU of {NARROW} in the pod",
    )


def _large_datagrams(probes: Probes, target: Target) -> list[Record[udp_sized.Answer]]:
    """Send from every node a datagram that is too large for the path, not to be fragmented."""
    address = target.address(Family.V6)
    request = udp_sized.Request(address, target.udp, LARGE, how=udp_sized.UNFRAGMENTED)
    return probes.from_every_node(request)


@mtu(
    "MTU-08",
    rests_partly_on=["LB-01", "ADDR-16"],
    families_of=FamiliesOf.SERVICES,
    features=[
        Feature.SPEAKING_NARROW_TARGET,
        Feature.HOST_NETWORK_PROBES,
        Feature.NODE_PORT,
    ],
    references=["RFC 8201 section 4", "Kubernetes docs: Service, type NodePort"],
    causes=[
        "packet-too-big for a Service's answer reaches a node whose Service proxy does not lead it "
        "to the backend (direct server return, ECMP: cilium/cilium 39690)",
        *PTB_CAUSES,
    ],
)
def test_clients_behind_a_narrow_path_download_from_a_service(
    probes: Probes, services: Services, external: ExternalTargets
) -> None:
    """A client behind a 1280-byte link downloads 1 MiB through a node port of every node.

    Where its SYNs arrive with an MSS that fits that link, no packet was too large: that is told.
    """
    client, service = external.host("narrow"), services["nodeport"]
    nodes = [
        ip for probe in probes.hosts for ip in probe.pod.host_ips if Family.of(ip) is Family.V6
    ]

    syns = client.ask_all([tcp_connect.Request(node, service.node_port(TCP)) for node in nodes])
    records = client.ask_all(
        [tcp_transfer.Request(node, service.node_port(HTTP)) for node in nodes]
    )

    small = [r.answer.seen_mss for r in syns if 0 < r.answer.seen_mss <= NARROW - TCP_HEADERS]
    if small:
        remark(f"no packet was too large on {len(small)} of {len(nodes)} ways: MSS {max(small)}")
    expect(records, expected="a node with an IPv6 address", actual=nodes)
    expect_all(records, lambda r: r.answer.intact, expected="1 MiB, intact, through every node")


@mtu(
    "MTU-09",
    features=[Feature.SPEAKING_NARROW_TARGET, Feature.EGRESS],
    level=Level.INFORMATIONAL,
    references=["RFC 8201 section 4", "RFC 8200 section 5"],
    causes=["a kernel or datapath that heeds what RFC 8201 wants discarded"],
    look="ip -6 route get ADDRESS (in a pod)",
)
def test_no_message_lowers_the_path_mtu_below_the_least(
    probes: Probes, external: ExternalTargets
) -> None:
    """A packet-too-big that tells of 1000 bytes leaves a pod's path MTU at 1280 at least.

    The message is forged by the target. That it arrived is seen by the pod's ICMPv6 counters.
    """
    host, address = external.host("narrow"), external.address("narrow", Family.V6)
    forger = host.ask(forged_too_big.Request(address, mtu=FORGED))
    expect(forger.answer.port, expected="a target that may send raw packets", actual=forger)
    request = udp_sized.Request(address, forger.answer.port, 100, tries=1)

    before = _too_big_received(probes)
    records = probes.from_every_node(request)
    after = _too_big_received(probes)

    expect_all(
        before, lambda name: after[name] != before[name], expected="the forged message in every pod"
    )
    expect_all(
        records,
        lambda record: record.answer.path_mtu >= NARROW,
        expected=f"a path MTU of {NARROW} at least",
    )


def _too_big_received(probes: Probes) -> dict[str, int]:
    records = probes.from_every_node(icmpv6_counters.Request())
    return {record.source: record.answer.too_big for record in records}


@mtu(
    "MTU-12",
    rests_on=["EGR-02"],
    rests_partly_on=["MTU-07"],
    features=[Feature.NARROW_TARGET_UDP, Feature.MASQUERADE],
    references=["RFC 4443 section 3.2", "RFC 8201 section 4"],
    causes=PTB_CAUSES[::-1],
)
def test_errors_find_back_through_masquerade(probes: Probes, external: ExternalTargets) -> None:
    """Packet-too-big finds its way back through the masquerade to the pod that sent.

    A target that tells whom it saw has to have seen another address than the pod's.
    """
    target = external.target("narrow")
    small = udp_exchange.Request(target.address(Family.V6), target.udp, count=3)

    records = _large_datagrams(probes, target)
    seen = [r for r in probes.from_every_node(small) if r.answer.seen_source]

    expect_all(
        records,
        lambda record: record.answer.path_mtu == NARROW,
        expected=f"a path MTU of {NARROW} in the pod",
    )
    expect_all(records, lambda r: not r.answer.arrived, expected="no datagram larger than the path")
    untranslated = [
        r
        for r in seen
        if same_address(r.answer.seen_source, probes.named(r.source).address(Family.V6))
    ]
    if untranslated:
        raise Inconclusive(f"packets leave without masquerade (EGR-03): {untranslated[0]}")
