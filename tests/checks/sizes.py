"""Honest answers about sizes: interfaces, bulk transfers, datagrams and hop limits."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pytest_ipv6k8s.addresses import in_any
from pytest_ipv6k8s.agent.ops import (
    forged_too_big,
    hop_limit,
    icmpv6_counters,
    interfaces,
    route_to,
    tcp_transfer,
    udp_sized,
)
from pytest_ipv6k8s.probe.probes import ProbePod

if TYPE_CHECKING:
    from tests.checks.world import World

MTU, TRANSLATION = 1500, 20


def _interfaces(world: World, pod: ProbePod, request: interfaces.Request) -> interfaces.Answer:
    return interfaces.Answer((interfaces.Link("eth0", MTU),))


def mtu(world: World) -> int:
    """Return the MTU of the pods' routes."""
    return MTU - world.shape.room


def _way(world: World, address: str) -> int:
    """Return the path MTU towards an address."""
    from tests.checks.outside import TRANSLATED, host_at

    host = host_at(address)
    hop = min(host.hop, mtu(world)) if host else mtu(world)
    return hop + TRANSLATION if hop < mtu(world) and in_any(address, TRANSLATED) else hop


def _tcp_transfer(
    world: World, pod: ProbePod, request: tcp_transfer.Request
) -> tcp_transfer.Answer:
    return tcp_transfer.Answer(
        moved=request.size, wanted=request.size, intact=True, path_mtu=_way(world, request.address)
    )


def _udp_sized(world: World, pod: ProbePod, request: udp_sized.Request) -> udp_sized.Answer:
    headers = 48 if ":" in request.address else 28
    fits = request.size + headers <= _way(world, request.address)
    arrived = fits or request.how != udp_sized.UNFRAGMENTED
    return udp_sized.Answer(
        arrived=arrived,
        arrivals=(request.tries if request.every else 1) * arrived,
        replied=max(request.reply_size, 60) if arrived else 0,
        path_mtu=_way(world, request.address),
        too_big=not arrived,
        replied_from=request.address if arrived else "",
        error="" if arrived else "EMSGSIZE",
        fragments=0 if fits and request.how != udp_sized.FRAGMENTED else 2,
    )


def _hop_limit(world: World, pod: ProbePod, request: hop_limit.Request) -> hop_limit.Answer:
    if request.hops == 1:
        return hop_limit.Answer(icmp_type=3, icmp_code=0, offender=pod.host_ips[0])
    return hop_limit.Answer(
        1, 4, offender=request.address, local=world._source(pod, request.address)
    )


def _route_to(world: World, pod: ProbePod, request: route_to.Request) -> route_to.Answer:
    return route_to.Answer(interface="eth0", kind="veth", mtu=mtu(world))


def _forged_too_big(world: World, pod: ProbePod, request: Any) -> forged_too_big.Answer:
    return forged_too_big.Answer(port=33000)


def _icmpv6_counters(world: World, pod: ProbePod, request: Any) -> icmpv6_counters.Answer:
    asked = world.__dict__.setdefault("counted", itertools.count())
    return icmpv6_counters.Answer(too_big=next(asked))


ANSWERS: dict[str, Callable[[Any, ProbePod, Any], Any]] = {
    "tcp_transfer": _tcp_transfer,
    "udp_sized": _udp_sized,
    "forged_too_big": _forged_too_big,
    "hop_limit": _hop_limit,
    "icmpv6_counters": _icmpv6_counters,
    "interfaces": _interfaces,
    "route_to": _route_to,
}
