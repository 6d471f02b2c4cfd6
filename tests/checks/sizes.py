"""Honest answers about sizes: interfaces, bulk transfers, datagrams and hop limits."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pytest_ipv6k8s.addresses import in_any
from pytest_ipv6k8s.probe import ProbePod
from pytest_ipv6k8s.probe.ops import (
    bulk,
    datagram,
    forged_too_big,
    hop_limit,
    icmpv6_counters,
    links,
)

if TYPE_CHECKING:
    from tests.checks.world import World

MTU, TRANSLATION = 1500, 20


def _links(world: World, pod: ProbePod, request: links.Request) -> links.Answer:
    return links.Answer((links.Link("eth0", MTU),))


def _way(address: str) -> int:
    """Return the path MTU towards an address."""
    from tests.checks.outside import TRANSLATED, host_at

    host = host_at(address)
    hop = host.hop if host else MTU
    return hop + TRANSLATION if hop < MTU and in_any(address, TRANSLATED) else hop


def _bulk(world: World, pod: ProbePod, request: bulk.Request) -> bulk.Answer:
    return bulk.Answer(
        moved=request.size, wanted=request.size, intact=True, path_mtu=_way(request.address)
    )


def _datagram(world: World, pod: ProbePod, request: datagram.Request) -> datagram.Answer:
    headers = 48 if ":" in request.address else 28
    fits = request.size + headers <= _way(request.address)
    arrived = fits or request.how != datagram.UNFRAGMENTED
    return datagram.Answer(
        arrived=arrived,
        replied=max(request.reply_size, 60) if arrived else 0,
        path_mtu=_way(request.address),
        too_big=not arrived,
        replied_from=request.address if arrived else "",
        error="" if arrived else "EMSGSIZE",
    )


def _hop_limit(world: World, pod: ProbePod, request: hop_limit.Request) -> hop_limit.Answer:
    return hop_limit.Answer(icmp_type=3, icmp_code=0, offender=pod.host_ips[0])


def _forged_too_big(world: World, pod: ProbePod, request: Any) -> forged_too_big.Answer:
    return forged_too_big.Answer(port=33000)


def _icmpv6_counters(world: World, pod: ProbePod, request: Any) -> icmpv6_counters.Answer:
    asked = world.__dict__.setdefault("counted", itertools.count())
    return icmpv6_counters.Answer(too_big=next(asked))


ANSWERS: dict[str, Callable[[Any, ProbePod, Any], Any]] = {
    "bulk": _bulk,
    "datagram": _datagram,
    "forged_too_big": _forged_too_big,
    "hop_limit": _hop_limit,
    "icmpv6_counters": _icmpv6_counters,
    "links": _links,
}
