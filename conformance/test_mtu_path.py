"""MTU: path MTU discovery towards a peer behind a narrow link (RFC 8201)."""

from __future__ import annotations

from pytest_ipv6k8s import WITH_IPV6, Family, Feature, Level, check, expect
from pytest_ipv6k8s.agent.ops import forged_too_big, icmpv6_counters, tcp_transfer, udp_sized
from pytest_ipv6k8s.probe.services import HTTP

NARROW = 1280
LARGE = 1400
FORGED = 1000
PTB_CAUSES = [
    "ICMPv6 packet-too-big is dropped on its way to the pod: a filter on the node or in the CNI "
    "(RFC 4890 forbids it)",
    "the message reaches the node and is not translated back to the pod (masquerade, eBPF "
    "datapath: cilium/cilium 16080, 35489)",
]
LOOK = "ip -6 route get ADDRESS (in the pod: is there an mtu?); tcpdump icmp6 (on its node)"


@check(
    "MTU-07",
    stacks=WITH_IPV6,
    features=[Feature.NARROW_TARGET, Feature.EGRESS],
    references=["RFC 8201 section 4", "RFC 4443 section 3.2"],
    causes=PTB_CAUSES,
    look=LOOK,
)
def test_transfers_adapt_to_a_narrow_path(probes, external):
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

    records = probes.ask_each(lambda probe: requests, among=probes.one_per_node)
    learning = _large_datagrams(probes, target)

    broken = [record for record in records if not record.answer.intact]
    expect(not broken, expected="1 MiB, intact, from and to every node", seen=broken)
    unaware = [record for record in learning if record.answer.path_mtu != NARROW]
    expect(not unaware, expected=f"a path MTU of {NARROW} in the pod", seen=unaware)


def _large_datagrams(probes, target):
    """Send from every node a datagram that is too large for the path, not to be fragmented."""
    address = target.address(Family.V6)
    request = udp_sized.Request(address, target.udp, LARGE, how=udp_sized.UNFRAGMENTED)
    return probes.ask_each(lambda probe: [request], among=probes.one_per_node)


@check(
    "MTU-08",
    stacks=WITH_IPV6,
    features=[Feature.NARROW_TARGET, Feature.SPEAKING_TARGET, Feature.HOST_NETWORK_PROBES],
    references=["RFC 8201 section 4", "Kubernetes docs: Service, type NodePort"],
    causes=[
        "packet-too-big for a Service's answer reaches a node whose Service proxy does not lead it "
        "to the backend (direct server return, ECMP: cilium/cilium 39690)",
        *PTB_CAUSES,
    ],
    look=LOOK,
)
def test_clients_behind_a_narrow_path_download_from_a_service(probes, services, external):
    """A client behind a 1280-byte link downloads 1 MiB through a node port of every node."""
    client, port = external.host("narrow"), services["nodeport"].node_port(HTTP)
    nodes = [
        ip for probe in probes.hosts for ip in probe.pod.host_ips if Family.of(ip) is Family.V6
    ]

    records = client.ask_all([tcp_transfer.Request(node, port) for node in nodes])

    expect(records, expected="a node with an IPv6 address", seen=nodes)
    broken = [record for record in records if not record.answer.intact]
    expect(not broken, expected="1 MiB, intact, through every node", seen=broken)


@check(
    "MTU-09",
    stacks=WITH_IPV6,
    features=[Feature.NARROW_TARGET, Feature.SPEAKING_TARGET, Feature.EGRESS],
    level=Level.INFORMATIONAL,
    references=["RFC 8201 section 4", "RFC 8200 section 5"],
    causes=["a kernel or datapath that heeds what RFC 8201 wants discarded"],
    look="ip -6 route get ADDRESS (in the pod: is there an mtu below 1280?)",
)
def test_no_message_lowers_the_path_mtu_below_the_least(probes, external):
    """A packet-too-big that tells of 1000 bytes leaves a pod's path MTU at 1280 at least.

    The message is forged by the target. That it arrived is seen by the pod's ICMPv6 counters.
    """
    host, address = external.host("narrow"), external.address("narrow", Family.V6)
    forger = host.ask(forged_too_big.Request(address, mtu=FORGED))
    expect(forger.answer.port, expected="a target that may send raw packets", seen=forger)
    request = udp_sized.Request(address, forger.answer.port, 100, tries=1)

    before = _too_big_received(probes)
    records = probes.ask_each(lambda probe: [request], among=probes.one_per_node)
    after = _too_big_received(probes)

    missed = [name for name in before if after[name] == before[name]]
    expect(not missed, expected="the forged message in every pod", seen=missed)
    lowered = [record for record in records if record.answer.path_mtu < NARROW]
    expect(not lowered, expected=f"a path MTU of {NARROW} at least", seen=lowered)


def _too_big_received(probes) -> dict[str, int]:
    records = probes.ask_each(lambda probe: [icmpv6_counters.Request()], among=probes.one_per_node)
    return {record.source: record.answer.too_big for record in records}


@check(
    "MTU-12",
    stacks=WITH_IPV6,
    features=[Feature.NARROW_TARGET, Feature.MASQUERADE],
    references=["RFC 4443 section 3.2", "RFC 8201 section 4"],
    causes=PTB_CAUSES[::-1],
    look=LOOK,
)
def test_errors_find_back_through_masquerade(probes, external):
    """Packet-too-big finds its way back through the masquerade to the pod that sent."""
    records = _large_datagrams(probes, external.target("narrow"))

    unaware = [record for record in records if record.answer.path_mtu != NARROW]
    expect(not unaware, expected=f"a path MTU of {NARROW} in the pod", seen=unaware)
    passed = [record for record in records if record.answer.arrived]
    expect(not passed, expected="no datagram larger than the path", seen=passed)
