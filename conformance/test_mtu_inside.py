"""MTU: sizes of packets and segments between pods."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
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
    remark,
)
from pytest_ipv6k8s.agent.ops import (
    interfaces,
    network_state,
    route_to,
    tcp_connect,
    tcp_transfer,
    udp_sized,
)
from pytest_ipv6k8s.agent.ports import HTTP_PORT, TCP_PORT
from pytest_ipv6k8s.suite import Probe, Probes
from pytest_ipv6k8s.suite.datagrams import HEADERS, UDP_HEADER, Datagrams, expect_arrivals, many

LEAST_MTU = 1280
LEAST_PATH_MTU = {Family.V6: LEAST_MTU, Family.V4: 576}
TCP_HEADER = 20
MTU_LOOK = "ip -6 route; ip link (in a pod)"
MTU_CAUSES = [
    "the CNI's MTU is larger than what the nodes' network carries less the encapsulation "
    "(VXLAN over IPv6 70, WireGuard 80, IPIP 40 bytes)",
    "the CNI gives pods the MTU of the wrong interface of the node",
]
mtu = partial(check, causes=MTU_CAUSES, look=MTU_LOOK)


def _links(probes: Probes) -> list[Record[interfaces.Answer]]:
    return probes.ask_each(lambda _: [interfaces.Request()])


def _mtus(probes: Probes, families: Iterable[Family]) -> dict[str, int]:
    """Return for each probe the smallest MTU of its default routes, 0 without any."""
    names = {family.value for family in families}
    links = {
        record.source: {link.name: link.mtu for link in record.answer.links}
        for record in _links(probes)
    }
    states = probes.ask_each(lambda _: [network_state.Request()])
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
    """Every interface of a pod that is up has an MTU of at least 1280 bytes.

    The kernel puts interfaces of its own into every network namespace (sit0, ip6tnl0); they are
    not up.
    """
    records = _links(probes)

    expect_all(records, _up, expected="an interface in every pod")
    expect_all(
        records,
        lambda record: all(link.mtu >= LEAST_MTU for link in _up(record)),
        expected=f"an MTU of at least {LEAST_MTU}",
    )


def _up(record: Record[interfaces.Answer]) -> list[interfaces.Link]:
    return [link for link in record.answer.links if link.up]


@mtu(
    "MTU-02",
    rests_partly_on=["ADDR-16"],
    features=[Feature.HOST_NETWORK_PROBES, Feature.TWO_NODES],
    references=["RFC 8200 section 5", "RFC 7348 section 4.3"],
)
def test_pod_mtu_fits_the_nodes(probes: Probes) -> None:
    """A pod's MTU is not larger than that of the way from its node to pods on other nodes.

    The way is the one that the node's kernel would take: through a tunnel, or the interface of
    the nodes' network. Whatever else a node has does not count.
    """
    ways = [r for r in _ways(probes) if r.answer.mtu]
    if not ways:
        raise Inconclusive("no node tells of a route to pods on other nodes")
    asked = {Family.of(way.request["address"]) for way in ways}
    mtus = {family: _mtus(probes, [family]) for family in asked}

    expect_all(
        ways,
        lambda way: not list(_too_large(way, probes, mtus)),
        expected="an MTU that fits through the node's interfaces",
        say=lambda way: "; ".join(_too_large(way, probes, mtus)),
    )


def _ways(probes: Probes) -> list[Record[route_to.Answer]]:
    """Ask every node for its way to the pods on other nodes."""
    addresses = {other.node: other.pod.ips for other in probes.one_per_node}
    return probes.ask_each(
        lambda host: [
            route_to.Request(ip)
            for node, ips in addresses.items()
            if node != host.node
            for ip in ips
        ],
        among=probes.hosts,
    )


def _too_large(
    way: Record[route_to.Answer], probes: Probes, mtus: Mapping[Family, Mapping[str, int]]
) -> Iterator[str]:
    """Yield in words each pod whose MTU is none, or larger than a way of its node and family."""
    node, answer = probes.named(way.source).node, way.answer
    family = Family.of(way.request["address"])
    for pod in probes:
        here = pod.node == node and pod.has(family)
        if here and not 0 < mtus[family][pod.name] <= answer.mtu:
            through = f"{answer.interface} ({answer.kind or 'no tunnel'})"
            yield (
                f"pod {pod.name} on {node}: {family.value} MTU {mtus[family][pod.name]}, and "
                f"{through} has {answer.mtu}"
            )


@mtu(
    "MTU-03",
    rests_on=["ADDR-16"],
    families=Family,
    features=[Feature.TWO_NODES],
    references=["Kubernetes docs: the Kubernetes network model", "RFC 8201 section 4"],
    causes=["large packets are lost between the nodes while small ones pass", *MTU_CAUSES],
)
def test_bulk_transfer_between_nodes(family: Family, probes: Probes) -> None:
    """Eight MiB pass between pods on different nodes, in both directions, and arrive intact.

    Every node asks the next one, so that each is at both ends.
    """
    size = 8 << 20
    nodes = probes.one_per_node
    server_of = {one.name: nodes[(number + 1) % len(nodes)] for number, one in enumerate(nodes)}

    records = probes.ask_each(
        lambda one: [
            tcp_transfer.Request(
                server_of[one.name].address(family), HTTP_PORT, size=size, direction=direction
            )
            for direction in ("down", "up")
        ],
        among=nodes,
    )

    expect_all(records, lambda record: record.answer.intact, expected=f"{size} bytes, intact")


@mtu(
    "MTU-04",
    rests_on=["ADDR-17"],
    rests_partly_on=["MTU-02", "ADDR-16"],
    families=Family,
    features=[Feature.TWO_NODES],
    references=["RFC 8200 section 5", "RFC 8201 section 4", "RFC 1191 section 3"],
)
def test_the_largest_datagram_passes_whole(family: Family, probes: Probes) -> None:
    """A datagram that fills the pod's MTU reaches another node, or a smaller path MTU is learned.

    Then a datagram of that size arrives. The least is 1280 bytes over IPv6, and 576 over IPv4.
    """
    mtus = _mtus(probes, [family])
    whole = _unfragmented(probes, family, lambda one, other: mtus[one.name])
    learned = {
        (r.source, r.request["address"]): r.answer.path_mtu
        for r in whole
        if not r.answer.arrived and LEAST_PATH_MTU[family] <= r.answer.path_mtu < mtus[r.source]
    }
    arriving = whole
    if learned:
        remark(f"path MTU learned on {len(learned)} of {len(whole)} paths: {min(learned.values())}")
        arriving = _unfragmented(
            probes,
            family,
            lambda one, other: learned.get((one.name, other.address(family)), mtus[one.name]),
        )
    over = _unfragmented(probes, family, lambda one, other: mtus[one.name] + 1)

    expect_arrivals(arriving, expected="datagrams that fill the path's MTU")
    expect_all(
        over,
        lambda record: not record.answer.arrived,
        expected="one byte more than the pod's MTU to be refused by the sender",
    )


def _unfragmented(
    probes: Probes, family: Family, size: Callable[[Probe, Probe], int]
) -> list[Datagrams]:
    """Send packets of a size, headers included, between every ordered pair of nodes."""
    headers = HEADERS[family] + UDP_HEADER
    return probes.across_nodes(
        lambda one, other: [
            many(other.address(family), size(one, other) - headers, udp_sized.UNFRAGMENTED)
        ]
    )


@mtu(
    "MTU-14",
    rests_on=["ADDR-16"],
    families=Family,
    level=Level.EXTENDED,
    features=[Feature.TWO_NODES],
    references=["RFC 9293 section 3.7.1", "RFC 6691 section 2"],
    causes=["a middlebox or the CNI writes an MSS into SYNs that is none of the sender's"],
    look="ip6tables -t mangle -S | grep TCPMSS; nft list ruleset | grep maxseg (on the node)",
)
def test_segment_size_follows_from_the_mtu(family: Family, probes: Probes) -> None:
    """The MSS in a SYN from a pod on another node is the sender's MTU less the headers, or less.

    It is 1220 at least over IPv6, 536 over IPv4: those of the least MTU. A path may clamp it to
    what it carries; that is told beside the verdict.
    """
    mtus, overhead = _mtus(probes, [family]), HEADERS[family] + TCP_HEADER
    least = LEAST_PATH_MTU[family] - overhead

    records = probes.across_nodes(
        lambda one, other: [tcp_connect.Request(other.address(family), TCP_PORT)]
    )
    if not any(record.answer.seen_mss for record in records):
        raise Inconclusive("no SYN was seen: no connection, or a kernel that does not keep SYNs")
    clamped = [r for r in records if 0 < r.answer.seen_mss < mtus[r.source] - overhead]
    if clamped:
        least_seen = min(r.answer.seen_mss for r in clamped)
        remark(f"the MSS is clamped on {len(clamped)} of {len(records)} paths, to {least_seen}")

    expect_all(
        records,
        lambda record: least <= record.answer.seen_mss <= mtus[record.source] - overhead,
        expected=f"an MSS of the MTU less {overhead}, or less, and {least} at least",
    )
