"""Worlds in which the checks of path MTU, fragments and ICMPv6 errors fail."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.agent.ops.interfaces import Link
from pytest_ipv6k8s.probe.probes import ProbePod
from tests.checks.breaking import Break, Broken, answers, from_pod, narrow_routes, state
from tests.checks.world import World

V4, V6 = Family.V4, Family.V6
LOST: dict[str, Any] = {"arrived": False, "arrivals": 0, "replied": 0, "error": "ETIMEDOUT"}
TWO_OF_THREE_LOST: dict[str, Any] = {"arrived": True, "arrivals": 7}
STUCK: dict[str, Any] = {"moved": 1000, "intact": False, "error": "ETIMEDOUT"}


def _how(how: str) -> Any:
    return lambda pod, request: request.how == how


def _larger_than(size: int) -> Any:
    return lambda pod, request: request.size > size


def _towards(words: str) -> Any:
    return lambda pod, request: words in request.address


def _direction(direction: str) -> Any:
    return lambda pod, request: request.direction == direction


SMALL = answers("interfaces", from_pod("probe-01"), links=(Link("eth0", 1000),))
JUMBO = answers("interfaces", from_pod("probe-01"), links=(Link("eth0", 9000),))
TUNNEL = answers("route_to", from_pod("host-00"), interface="flannel-v6.1", kind="vxlan", mtu=1430)


def learned(path_mtu: int, *, carried: int) -> Break:
    """A path that tells of an MTU and carries packets of another."""

    def break_it(world: World) -> None:
        def send(pod: ProbePod, request: Any, answer: Any) -> Any:
            if request.size + 48 <= carried:
                return answer
            return replace(answer, **LOST, path_mtu=path_mtu)

        world.override("udp_sized", send)

    return break_it


def told_by_the_sender(world: World) -> None:
    """Addresses that the sender's own kernel finds unreachable."""
    world.override(
        "hop_limit", lambda pod, request, answer: replace(answer, icmp_code=3, offender=pod.ips[0])
    )


IN_A_TUNNEL = state(lambda seen: narrow_routes(seen, 1430))

ROWS = [
    Broken("MTU-01", "1000 bytes", SMALL),
    Broken("MTU-01", "no interface", answers("interfaces", links=())),
    Broken("MTU-02", "jumbo pods", JUMBO),
    Broken("MTU-02", "larger than the tunnel", TUNNEL),
    *(Broken("MTU-03", f"{d} stalls", answers("tcp_transfer", _direction(d), **STUCK), family=V6) for d in ("up", "down")),
    Broken("MTU-03", "stalls", answers("tcp_transfer", **STUCK), Stack.DUAL, V4),
    Broken("MTU-03", "the last node's stall", answers("tcp_transfer", from_pod("probe-01"), **STUCK), family=V6),
    Broken("MTU-03", "damaged", answers("tcp_transfer", intact=False), family=V6),
    Broken("MTU-04", "lost", answers("udp_sized", **LOST), family=V6),
    Broken("MTU-04", "two of three are lost", answers("udp_sized", **TWO_OF_THREE_LOST), family=V6),
    Broken("MTU-04", "a path MTU is learned and too large", learned(1400, carried=1300), family=V6),
    Broken("MTU-04", "a path MTU below the least is learned", learned(1000, carried=1000), family=V6),
    Broken("MTU-04", "one more byte fits", answers("udp_sized", arrived=True, arrivals=20), family=V6),
    Broken("MTU-04", "one more byte than the route's", IN_A_TUNNEL, family=V6),
    Broken("MTU-05", "fragments are lost", answers("udp_sized", _how("fragmented"), **LOST), family=V6),
    Broken("MTU-05", "two of three are lost", answers("udp_sized", **TWO_OF_THREE_LOST), family=V6),
    Broken("MTU-06", "fragments are lost", answers("udp_sized", _how("fragmented"), **LOST), family=V6),
    Broken("MTU-07", "uploads stall", answers("tcp_transfer", _direction("up"), **STUCK)),
    Broken("MTU-07", "downloads stall", answers("tcp_transfer", _direction("down"), **STUCK)),
    Broken("MTU-07", "the pod does not learn", answers("udp_sized", path_mtu=1500)),
    Broken("MTU-08", "downloads stall", answers("tcp_transfer", from_pod("target-narrow"), **STUCK)),
    Broken("MTU-10", "silence", answers("hop_limit", icmp_type=-1, error="ETIMEDOUT")),
    Broken("MTU-10", "another error", answers("hop_limit", icmp_type=3)),
    Broken("MTU-10", "the sender's own kernel tells", told_by_the_sender),
    Broken("MTU-11", "silence", answers("hop_limit", icmp_type=-1, error="ETIMEDOUT")),
    Broken("MTU-11", "unreachable instead", answers("hop_limit", icmp_type=1)),
    Broken("MTU-11", "a router closes the port", answers("hop_limit", icmp_type=1, icmp_code=4)),
    Broken("MTU-12", "the pod does not learn", answers("udp_sized", path_mtu=1500)),
    Broken("MTU-12", "everything passes", answers("udp_sized", arrived=True)),
    Broken("MTU-13", "silence", answers("ping", received=0)),
    Broken("MTU-13", "silence of one", answers("ping", from_pod("probe-01"), received=0)),
    Broken("MTU-14", "clamped too far", answers("tcp_connect", seen_mss=1200), family=V6),
    Broken("MTU-14", "one does not say", answers("tcp_connect", from_pod("probe-00"), seen_mss=0), family=V6),
    Broken("MTU-14", "the route has room for a tunnel", IN_A_TUNNEL, family=V6),
    Broken("MTU-19", "8 KiB are lost", answers("udp_sized", _larger_than(5000), **LOST), family=V6),
    Broken("N64-22", "uploads stall", answers("tcp_transfer", **STUCK)),
    Broken("N64-22", "the pod does not learn", answers("tcp_transfer", _towards("cb00:710e"), path_mtu=1500)),
    Broken("N64-23", "fragments are lost", answers("udp_sized", _towards("2001:db8:64:"), **LOST)),
]  # fmt: skip
