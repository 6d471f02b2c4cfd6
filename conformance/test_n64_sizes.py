"""N64: packets that are too large for the way through the translator (RFC 7915)."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ipv6k8s import WITH_IPV6, Family, Feature, Level, Record, check, expect_all
from pytest_ipv6k8s.agent.ops import tcp_transfer, udp_sized
from pytest_ipv6k8s.suite import ExternalTargets, Probes
from pytest_ipv6k8s.suite.datagrams import require_fragments

HEADER_DIFFERENCE = 20


@check(
    "N64-22",
    rests_partly_on=["MTU-07"],
    rests_on=["N64-14"],
    stacks=WITH_IPV6,
    features=[Feature.NAT64, Feature.NARROW_IPV4_TARGETS],
    level=Level.EXTENDED,
    references=["RFC 7915 section 4.2", "RFC 7915 section 5.2"],
    causes=["the translator drops ICMPv4 fragmentation-needed instead of translating it"],
    look="ip -6 route get ADDRESS (in a pod)",
)
def test_path_mtu_crosses_the_translator(probes: Probes, external: ExternalTargets) -> None:
    """One MiB passes through NAT64 behind narrow IPv4 links, and pods learn their MTU plus 20."""
    for role, link in (("narrow", 1280), ("narrow-1400", 1400)):
        target = external.target(role)
        address = external.synthetic(external.address(role, Family.V4))

        request = tcp_transfer.Request(address, target.http, direction="up")
        _expect_learned(probes.from_every_node(request), link + HEADER_DIFFERENCE)


def _expect_learned(records: Sequence[Record[tcp_transfer.Answer]], mtu: int) -> None:
    expect_all(records, lambda r: r.answer.intact, expected="1 MiB, intact, from every node")
    expect_all(
        records, lambda r: r.answer.path_mtu == mtu, expected=f"a path MTU of {mtu} in the pod"
    )


@check(
    "N64-23",
    rests_partly_on=["N64-14", "N64-15", "EGR-01", "MTU-05"],
    stacks=WITH_IPV6,
    features=[Feature.NAT64, Feature.IPV4_TARGET_UDP],
    level=Level.EXTENDED,
    references=["RFC 7915 section 4.1", "RFC 7915 section 5.1"],
    causes=["the translator drops fragments, or translates the first one only"],
    look="ip -6 route get ADDRESS (in a pod)",
)
def test_fragments_cross_the_translator(probes: Probes, external: ExternalTargets) -> None:
    """A fragmented datagram passes through NAT64 to an IPv4-only host, and its reply returns."""
    target = external.target("v4")
    address = external.synthetic(external.address("v4", Family.V4))
    request = udp_sized.Request(
        address, target.udp, 2000, reply_size=2500, how=udp_sized.FRAGMENTED
    )

    records = probes.from_every_node(request)

    expect_all(
        records,
        lambda r: r.answer.arrived,
        expected="2000 bytes there and 2500 bytes back, or more",
    )
    require_fragments(records)
