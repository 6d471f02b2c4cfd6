"""N64: what pods reach through the NAT64 gateway (RFC 6146), and what nobody may."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pytest_ipv6k8s import (
    ONLY_IPV6,
    WITH_IPV6,
    Family,
    Feature,
    Inconclusive,
    Level,
    Record,
    check,
    expect,
    expect_all,
)
from pytest_ipv6k8s.addresses import embed, in_any
from pytest_ipv6k8s.agent.ops import ping, tcp_connect, udp_exchange, udp_listen
from pytest_ipv6k8s.causes import Cause, first
from pytest_ipv6k8s.external.model import WellKnownPrefix
from pytest_ipv6k8s.suite import ExternalTargets, Probes, Target
from pytest_ipv6k8s.suite.liveness import connection_to, expect_served, is_served_by, permitted
from pytest_ipv6k8s.suite.seen import unroutable

NEEDS = (Feature.NAT64, Feature.IPV4_TARGET_TCP)
GATEWAY_CAUSES: list[str | Cause] = [
    first(unroutable, "no node routes the NAT64 prefix to the gateway, or the way back is missing"),
    "the gateway does not translate: its process, its device or its IPv4 pool is gone",
    "the CNI treats the prefix as inside: it is not masqueraded, or dropped",
]
LOOK = "ip -6 route get ADDRESS (on the node)"
WELL_KNOWN_PREFIX, LOCAL_USE_PREFIX = "64:ff9b::/96", "64:ff9b:1::/96"
n64 = partial(check, stacks=WITH_IPV6, features=NEEDS, look=LOOK)
HAIRPIN_PORT = 33466
SPECIAL = ("0.0.0.1", "127.0.0.1", "169.254.169.254", "224.0.0.1", "255.255.255.255")


def _connect(probes: Probes, address: str, port: int) -> list[Record[tcp_connect.Answer]]:
    return probes.from_every_node(tcp_connect.Request(address, port, timeout=3.0))


def _synthetic(external: ExternalTargets) -> str:
    """Return the IPv4-only host's address behind the prefix."""
    return external.synthetic(external.address("v4", Family.V4))


def _expect_tcp(probes: Probes, address: str, target: Target) -> list[Record[tcp_connect.Answer]]:
    records = _connect(probes, address, target.tcp)
    expected = f"{connection_to(target)} from every node"
    expect_all(records, is_served_by(target), expected=expected)
    return records


@n64(
    "N64-14",
    rests_partly_on=["EGR-01"],
    references=["RFC 6146 section 3.5.2", "RFC 6052 section 2.3"],
    causes=GATEWAY_CAUSES,
)
def test_ipv4_hosts_answer_over_tcp(probes: Probes, external: ExternalTargets) -> None:
    """Pods on every node reach an IPv4-only host over TCP by its synthetic address."""
    _expect_tcp(probes, _synthetic(external), external.target("v4"))


@n64(
    "N64-15",
    rests_partly_on=["N64-14", "EGR-01", "EGR-02"],
    features=[Feature.NAT64, Feature.IPV4_TARGET_UDP],
    references=["RFC 6146 section 3.5.1"],
    causes=["the gateway, or a filter before it, drops UDP", *GATEWAY_CAUSES],
)
def test_ipv4_hosts_answer_over_udp(probes: Probes, external: ExternalTargets) -> None:
    """Pods on every node reach an IPv4-only host over UDP by its synthetic address.

    A datagram may be lost; a way that is shut loses all three.
    """
    target = external.target("v4")
    request = udp_exchange.Request(_synthetic(external), target.udp, count=3)

    records = probes.from_every_node(request)

    expect_all(records, lambda r: r.answer.echoed, expected="an echo to every node")


@n64(
    "N64-16",
    rests_partly_on=["N64-14", "EGR-01"],
    features=[Feature.NAT64, Feature.IPV4_TARGET_PING, Feature.ECHO_REQUESTS],
    references=["RFC 6146 section 3.5.3", "RFC 7915 section 5.2"],
    causes=["the gateway does not translate ICMPv6 echo, or a filter drops it", *GATEWAY_CAUSES],
)
def test_ipv4_hosts_answer_to_echo_requests(probes: Probes, external: ExternalTargets) -> None:
    """Pods on every node get echo replies from an IPv4-only host by its synthetic address."""
    records = probes.from_every_node(ping.Request(_synthetic(external), count=3))

    expect_served(
        external.others("v4", Family.V4),
        ping.Request(external.address("v4", Family.V4), count=3),
        permitted(records),
        lambda record: record.answer.received,
        expected="an echo reply to every node",
    )


@n64(
    "N64-17",
    rests_on=["N64-14"],
    features=[Feature.NAT64, Feature.NAT64_POOL, Feature.IPV4_TARGET_IDENTIFIES],
    references=["RFC 6146 section 3.5"],
    causes=["packets take another gateway, or are translated twice"],
)
def test_ipv4_hosts_see_the_gateway(probes: Probes, external: ExternalTargets) -> None:
    """An IPv4-only host sees an address of the gateway's pool as the source."""
    target, pool = external.target("v4"), external.nat64.pool
    address = _synthetic(external)

    records = _connect(probes, address, target.tcp)

    expect_all(
        records,
        lambda record: _is_seen_in(record.answer.seen_source, pool),
        expected=f"a source in {', '.join(pool)}",
    )


def _is_seen_in(source: str, pool: Sequence[str]) -> bool:
    return bool(source) and in_any(source, pool)


@n64(
    "N64-19",
    rests_partly_on=["N64-14", "EGR-01"],
    level=Level.EXTENDED,
    features=[*NEEDS, Feature.NAT64_PREFIXES],
    references=["RFC 6052 section 2.2"],
    causes=["a prefix of that length is not routed, or the gateway embeds the address elsewhere"],
)
def test_every_length_of_prefix_works(probes: Probes, external: ExternalTargets) -> None:
    """Prefixes of all six lengths lead to the same IPv4-only host."""
    target, ipv4 = external.target("v4"), external.address("v4", Family.V4)

    for prefix in external.nat64.prefixes:
        records = _connect(probes, embed(prefix, ipv4), target.tcp)

        expect_all(
            records,
            is_served_by(target),
            expected=f"{connection_to(target)} by {prefix} from every node",
        )


@n64(
    "N64-20",
    rests_partly_on=["N64-14", "EGR-01"],
    features=[*NEEDS, Feature.WELL_KNOWN_PREFIX],
    level=Level.INFORMATIONAL,
    references=["RFC 6052 section 3.1"],
    causes=["the gateway is in the other mode (tayga: wkpf-strict)"],
)
def test_well_known_prefix_and_private_addresses(probes: Probes, external: ExternalTargets) -> None:
    """The prefix 64:ff9b::/96 leads to private IPv4 addresses exactly where that is declared.

    RFC 6052 forbids it; draft-ietf-v6ops-nat64-wkp-1918 wants it allowed. Recorded, not judged.
    """
    nat64, port = external.nat64, external.target("v4").tcp

    records = _connect(probes, embed(WELL_KNOWN_PREFIX, nat64.private_host), port)

    relaxed = nat64.well_known_prefix is WellKnownPrefix.RELAXED
    expect_all(
        records,
        lambda record: record.answer.connected is relaxed,
        expected=f"{('a' if relaxed else 'no')} connection",
    )


@n64(
    "N64-21",
    rests_partly_on=["N64-14", "EGR-01"],
    level=Level.EXTENDED,
    features=[*NEEDS, Feature.LOCAL_USE_PREFIX],
    references=["RFC 8215 section 5"],
    causes=["64:ff9b:1::/48 is not routed to the gateway, or the gateway refuses it"],
)
def test_local_use_prefix_leads_to_private_addresses(
    probes: Probes, external: ExternalTargets
) -> None:
    """The prefix 64:ff9b:1::/48 leads to private IPv4 addresses, where it is declared."""
    address = embed(LOCAL_USE_PREFIX, external.nat64.private_host)

    expect_all(
        _connect(probes, address, external.target("v4").tcp),
        lambda record: record.answer.connected,
        expected="a connection from every node",
    )


@n64(
    "N64-25",
    rests_on=["N64-14"],
    features=[*NEEDS, Feature.HOST_NETWORK_PROBES],
    level=Level.INFORMATIONAL,
    references=["kubernetes-sigs/nat64: known limitations"],
    causes=["the gateway hooks into pods' interfaces, and host-network pods bypass it"],
)
def test_host_network_pods_reach_ipv4_hosts(probes: Probes, external: ExternalTargets) -> None:
    """Host-network pods reach an IPv4-only host by its synthetic address, too."""
    target = external.target("v4")
    request = tcp_connect.Request(_synthetic(external), target.tcp, timeout=3.0)

    records = probes.ask_each(lambda probe: [request], among=probes.hosts)

    expected = f"{connection_to(target)} from every node"
    expect_all(records, is_served_by(target), expected=expected)


@n64(
    "N64-26",
    rests_partly_on=["N64-14", "EGR-01"],
    features=[Feature.NAT64, Feature.IPV4_TARGET_UDP, Feature.PEER],
    level=Level.INFORMATIONAL,
    references=["RFC 6146 section 3.8"],
    causes=["the gateway lets in only whom the pod has sent to, or does not turn packets round"],
)
def test_pods_meet_behind_the_gateway(probes: Probes, external: ExternalTargets) -> None:
    """A pod reaches another one by the IPv4 address and port that the gateway gave to it (hairpin).

    A gateway that filters by address, as Linux' masquerade does, lets none in. It is not judged.
    """
    target, one, other = external.target("v4"), probes[0], probes.peer
    address = _synthetic(external)
    mapped = one.ask(udp_exchange.Request(address, target.udp, source_port=HAIRPIN_PORT))
    if not mapped.answer.seen_port:
        raise Inconclusive(f"the target does not say whom it saw: {mapped}")
    inbox = one.ask(udp_listen.Request(one.address(Family.V6), own_port=HAIRPIN_PORT)).answer.port

    back = external.synthetic(mapped.answer.seen_source)
    sent = other.ask(udp_exchange.Request(back, mapped.answer.seen_port, timeout=0.5))
    received = one.ask(udp_listen.Request(one.address(Family.V6), inbox, wanted=1, timeout=0.5))

    expect(received.answer.received, expected="the other pod's datagram", actual=[sent, received])


@n64(
    "N64-27",
    level=Level.EXTENDED,
    stacks=ONLY_IPV6,
    features=[Feature.CLAT, Feature.IPV4_TARGET_TCP],
    references=["RFC 6877 section 6", "RFC 7335"],
    causes=["the CLAT does not run in the pod's network, or has no NAT64 prefix"],
    look="ip -4 route (in a pod)",
)
def test_ipv4_literals_work_where_there_is_a_clat(
    probes: Probes, external: ExternalTargets
) -> None:
    """An IPv6-only pod with a CLAT reaches an IPv4 literal.

    Where the target tells whom it saw, and the gateway's pool is declared, it has to be one of the
    pool: else the pods have another way to IPv4.
    """
    target = external.target("v4")

    records = _expect_tcp(probes, external.address("v4", Family.V4), target)

    pool = external.nat64.pool if external.network.nat64 else ()
    others = [r for r in records if r.answer.seen_source and not in_any(r.answer.seen_source, pool)]
    if pool and others:
        raise Inconclusive(f"the way leads past the NAT64 gateway: {others[0]}")


@n64(
    "N64-31",
    rests_partly_on=["N64-14", "EGR-01"],
    level=Level.EXTENDED,
    references=["RFC 6052 section 5.1", "RFC 6146 section 5.4"],
    causes=[
        "the gateway translates special ranges: pods reach a cloud's metadata server at "
        "169.254.169.254, or the gateway's own loopback"
    ],
)
def test_special_ranges_lead_nowhere(probes: Probes, external: ExternalTargets) -> None:
    """Loopback, link-local, multicast and 0.0.0.0/8 behind the prefix lead nowhere."""
    ports = [p for p in (external.target("v4").tcp, external.target("v4").http, 80) if p]
    requests = [
        tcp_connect.Request(external.synthetic(ipv4), port, timeout=1.5)
        for ipv4 in SPECIAL
        for port in ports
    ]

    records = probes.from_every_node(*requests)
    _expect_tcp(probes, _synthetic(external), external.target("v4"))

    expect_all(
        records,
        lambda record: not record.answer.connected,
        expected="no connection to a special address",
    )
