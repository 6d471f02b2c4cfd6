"""MTU: sizes of packets and segments between pods, whole and in fragments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from pytest_ipv6k8s import WITH_IPV6, Family, Feature, Level, Record, check, expect, expect_all
from pytest_ipv6k8s.agent.ops import interfaces, network_state, tcp_connect, tcp_transfer, udp_sized
from pytest_ipv6k8s.agent.ports import HTTP_PORT, TCP_PORT, UDP_PORT
from pytest_ipv6k8s.checks import FamiliesOf
from pytest_ipv6k8s.probe.services import UDP
from pytest_ipv6k8s.suite import Probe, Probes, Services

LEAST_MTU = 1280
HEADERS = {Family.V6: 40, Family.V4: 20}
UDP_HEADER, TCP_HEADER = 8, 20
REASSEMBLED = 1500
TUNNELS = ("vxlan", "geneve", "wg", "wireguard", "tunl", "ip6tnl", "sit", "gre", "flannel.")
MTU_LOOK = "ip -6 route; ip link (in the pod and on its node)"
MTU_CAUSES = [
    "the CNI's MTU is larger than what the nodes' network carries less the encapsulation "
    "(VXLAN over IPv6 70, WireGuard 80, IPIP 40 bytes)",
    "the CNI gives pods the MTU of the wrong interface of the node",
]
mtu = partial(check, causes=MTU_CAUSES, look=MTU_LOOK)
FRAGMENT_CAUSES = [
    "the CNI's datapath, or a filter, drops IPv6 fragments (cilium/cilium 45339)",
    "conntrack does not reassemble fragments: nf_defrag_ipv6 is missing",
]
fragments = partial(
    check,
    stacks=WITH_IPV6,
    families=[Family.V6],
    causes=FRAGMENT_CAUSES,
    look="nstat -az | grep -i frag (on both nodes)",
)


def _links(asked: Sequence[Probe], probes: Probes) -> list[Record[interfaces.Answer]]:
    return probes.ask_each(lambda _: [interfaces.Request()], among=asked)


def _mtus(
    asked: Sequence[Probe], probes: Probes, families: Iterable[Family] = Family
) -> dict[str, int]:
    """Return for each probe the smallest MTU of its default routes, 0 without any."""
    names = {family.value for family in families}
    links = {
        record.source: {link.name: link.mtu for link in record.answer.links}
        for record in _links(asked, probes)
    }
    states = probes.ask_each(lambda _: [network_state.Request()], among=asked)
    return {
        record.source: min(
            (
                _mtu(route, links[record.source])
                for route in record.answer.routes
                if route.destination == "default" and route.family in names
            ),
            default=0,
        )
        for record in states
    }


def _mtu(route: network_state.Route, links: dict[str, int]) -> int:
    """Return the MTU that counts: a CNI that encapsulates can make room in the route alone."""
    interface = links.get(route.interface, 0)
    return min(route.mtu, interface) if route.mtu else interface


@mtu(
    "MTU-01",
    stacks=WITH_IPV6,
    references=["RFC 8200 section 5"],
    causes=["the CNI's MTU is below 1280: the kernel switches IPv6 off on such an interface"],
)
def test_interfaces_carry_at_least_1280_bytes(probes: Probes) -> None:
    """Every interface of a pod has an MTU of at least 1280 bytes."""
    records = _links(probes, probes)

    expect_all(records, lambda record: record.answer.links, expected="an interface in every pod")
    expect_all(
        records,
        lambda record: not any(link.mtu < LEAST_MTU for link in record.answer.links),
        expected=f"an MTU of at least {LEAST_MTU}",
    )


@mtu(
    "MTU-02",
    features=[Feature.HOST_NETWORK_PROBES],
    references=["RFC 8200 section 5", "RFC 7348 section 4.3"],
)
def test_pod_mtu_fits_the_nodes(probes: Probes) -> None:
    """A pod's MTU is not larger than that of its node, nor than that of the node's tunnels."""
    pods, hosts = _mtus(probes, probes), _mtus(probes.hosts, probes)
    limits = {probe.node: hosts[probe.name] for probe in probes.hosts}
    for record in _links(probes.hosts, probes):
        tunnels = [x.mtu for x in record.answer.links if x.name.startswith(TUNNELS)]
        node = probes.named(record.source).node
        limits[node] = min([limits[node], *tunnels])

    seen = [
        f"pod {name} on {node}: MTU {mtu}, and the node has {limits[node]}"
        for name, mtu in pods.items()
        for node in [probes.named(name).node]
        if not 0 < mtu <= limits[node]
    ]
    expect(not seen, expected="an MTU that fits through the node's interfaces", actual=seen)


@mtu(
    "MTU-03",
    families=Family,
    features=[Feature.TWO_NODES],
    references=["Kubernetes docs: the Kubernetes network model", "RFC 8201 section 4"],
    causes=["large packets are lost between the nodes while small ones pass", *MTU_CAUSES],
)
def test_bulk_transfer_between_nodes(family: Family, probes: Probes) -> None:
    """Eight MiB pass between pods on different nodes, in both directions, and arrive intact."""
    size = 8 << 20
    source, server = next(iter(probes.pairs()))
    address = server.address(family)
    requests = [
        tcp_transfer.Request(address, HTTP_PORT, size=size, direction=direction)
        for direction in ("down", "up")
    ]

    records = source.ask_all(requests)

    expect_all(records, lambda record: record.answer.intact, expected=f"{size} bytes, intact")


@mtu(
    "MTU-04",
    families=Family,
    features=[Feature.TWO_NODES],
    references=["RFC 8200 section 5", "RFC 1191 section 3"],
)
def test_the_largest_datagram_passes_whole(family: Family, probes: Probes) -> None:
    """A datagram that fills the pod's MTU reaches a pod on another node without fragmentation."""
    mtus = _mtus(probes, probes, [family])
    overhead, how = HEADERS[family] + UDP_HEADER, udp_sized.UNFRAGMENTED

    def ask(extra: int) -> list[Record[udp_sized.Answer]]:
        return [
            one.ask(_sized(other.address(family), mtus[one.name] - overhead + extra, how))
            for one, other in probes.pairs()
        ]

    records, over = ask(0), ask(1)

    expect_all(
        records,
        lambda record: record.answer.arrived,
        expected="a datagram of the pod's MTU to arrive",
    )
    expect_all(
        over,
        lambda record: not record.answer.arrived,
        expected="one byte more to be refused by the sender",
    )


def _sized(
    address: str, size: int, how: str, *, reply: int = 0, port: int = UDP_PORT
) -> udp_sized.Request:
    return udp_sized.Request(address, port, size, reply_size=reply, how=how)


def _across(
    probes: Probes, family: Family, sizes: Iterable[int], how: str
) -> list[Record[udp_sized.Answer]]:
    """Send datagrams of these sizes between every ordered pair of nodes."""
    return [
        record
        for one, other in probes.pairs()
        for record in one.ask_all([_sized(other.address(family), size, how) for size in sizes])
    ]


@fragments("MTU-05", features=[Feature.TWO_NODES], references=["RFC 8200 section 5"])
def test_fragments_are_reassembled(family: Family, probes: Probes) -> None:
    """A datagram in fragments that reassembles to 1500 bytes arrives at a pod on another node."""
    size = REASSEMBLED - HEADERS[family] - UDP_HEADER

    records = _across(probes, family, [size], udp_sized.FRAGMENTED)

    expect_all(records, lambda r: r.answer.arrived, expected=f"{size} bytes in fragments to arrive")


@fragments(
    "MTU-06",
    features=[Feature.PEER],
    families_of=FamiliesOf.SERVICES,
    level=Level.EXTENDED,
    references=["RFC 8200 section 4.5", "Kubernetes docs: virtual IPs and Service proxies"],
    causes=["the Service proxy translates the first fragment only", *FRAGMENT_CAUSES],
)
def test_fragments_pass_through_a_service(
    family: Family, probes: Probes, services: Services
) -> None:
    """Fragmented datagrams and fragmented replies pass through a cluster IP.

    The Service has one endpoint, which is none of those that ask: whether a pod reaches itself
    is SVC-05.
    """
    address = services["peer"].cluster_ip(family)
    request = _sized(address, 2000, udp_sized.AS_NEEDED, reply=4000, port=UDP)

    records = probes.from_every_node(*([request] * 3))

    expect_all(records, lambda r: r.answer.arrived, expected="2000 bytes there and 4000 bytes back")


@mtu(
    "MTU-14",
    families=Family,
    features=[Feature.TWO_NODES],
    references=["RFC 9293 section 3.7.1", "RFC 6691 section 2"],
    causes=[
        "a middlebox or the CNI clamps the MSS, which hides a path MTU that is smaller than the "
        "pod's MTU"
    ],
    look="ip6tables -t mangle -S | grep TCPMSS; nft list ruleset | grep maxseg (on both nodes)",
)
def test_segment_size_follows_from_the_mtu(family: Family, probes: Probes) -> None:
    """The MSS in a SYN that a pod on another node receives is the sender's MTU less the headers."""
    mtus, overhead = _mtus(probes, probes, [family]), HEADERS[family] + TCP_HEADER

    records = [
        one.ask(tcp_connect.Request(other.address(family), TCP_PORT))
        for one, other in probes.pairs()
    ]

    expect_all(
        records,
        lambda record: record.answer.seen_mss == mtus[record.source] - overhead,
        expected=f"an MSS of the MTU less {overhead}",
    )


@fragments(
    "MTU-19",
    features=[Feature.TWO_NODES],
    level=Level.EXTENDED,
    references=["RFC 8200 section 4.5"],
)
def test_large_datagrams_arrive(family: Family, probes: Probes) -> None:
    """Datagrams of 4 and 8 KiB arrive at a pod on another node."""
    records = _across(probes, family, [4096, 8192], udp_sized.AS_NEEDED)

    expect_all(records, lambda r: r.answer.arrived, expected="4096 and 8192 bytes to arrive")
