"""Healthy worlds in which what a check is about does not happen: nothing passes in silence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.probe.probes import ProbePod
from pytest_ipv6k8s.verdicts import Verdict
from tests.checks.breaking import Break, answers
from tests.checks.world import World, run_check

V6, IPV6, DUAL = Family.V6, Stack.IPV6, Stack.DUAL
WHOLE = answers("udp_sized", fragments=0)
PASS, OPEN = Verdict.PASS, Verdict.INCONCLUSIVE


def _no_masquerade(world: World) -> None:
    def exchange(pod: ProbePod, request: Any, answer: Any) -> Any:
        return replace(answer, seen_source=world._source(pod, request.address))

    world.override("udp_exchange", exchange)


def _dns_of_one_family(world: World) -> None:
    world.dns_addresses = world.dns_addresses[:1]
    world.objects = world._objects()


def _never_to_itself(world: World) -> None:
    def connect(pod: ProbePod, request: Any, answer: Any) -> Any:
        own = pod.name == "probe-01" == answer.pod
        return replace(answer, pod="probe-00") if own else answer

    world.override("tcp_connect", connect)


def _asks_one_by_one(world: World) -> None:
    world.override(
        "network_state",
        lambda pod, request, answer: replace(answer, options=("ndots:5", "single-request")),
    )


def _no_router(world: World) -> None:
    def tell(pod: ProbePod, request: Any, answer: Any) -> Any:
        return replace(answer, icmp_type=1, icmp_code=4, offender=request.address)

    world.override("hop_limit", tell)


TOLD = answers("tcp_connect", lambda p, r: r.timeout == 1.0, connected=False, error="ENETUNREACH")
CASES: dict[str, tuple[str, Stack, Family | None, Break, Verdict, str]] = {
    "fragments between pods": ("MTU-05", IPV6, V6, WHOLE, OPEN, "nothing left in fragments"),
    "fragments to a Service": ("MTU-06", IPV6, V6, WHOLE, OPEN, "nothing left in fragments"),
    "fragments through NAT64": ("N64-23", IPV6, None, WHOLE, OPEN, "nothing left in fragments"),
    "fragments to the outside": (
        "EGR-18",
        IPV6,
        None,
        answers("udp_exchange", fragments=0),
        OPEN,
        "nothing left in fragments",
    ),
    "masquerade": ("MTU-12", IPV6, None, _no_masquerade, OPEN, "without masquerade (EGR-03)"),
    "a black hole": ("EGR-06", DUAL, None, TOLD, OPEN, "nothing hangs in the black hole"),
    "a CLAT": (
        "N64-27",
        IPV6,
        None,
        answers("tcp_connect", seen_source="198.18.0.7"),
        OPEN,
        "past the NAT64 gateway",
    ),
    "DNS of both families": (
        "N64-29",
        DUAL,
        None,
        _dns_of_one_family,
        Verdict.NOT_APPLICABLE,
        "has addresses of IPv4 alone",
    ),
    "segments too large for a path": (
        "MTU-08",
        IPV6,
        None,
        answers("tcp_connect", seen_mss=1220),
        PASS,
        "no packet was too large on 2 of 2 ways",
    ),
    "a router": ("MTU-11", IPV6, None, _no_router, PASS, "no router was met on 2 of 2 paths"),
    "both queries at once": ("DNS-17", IPV6, None, _asks_one_by_one, PASS, "has single-request"),
    "a pod that is sent to itself": (
        "SVC-05",
        IPV6,
        V6,
        _never_to_itself,
        PASS,
        "not sent to themselves, so not judged: pods on node-1",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_did_not_happen_is_told_or_left_open(case: str) -> None:
    id, stack, family, break_it, verdict, words = CASES[case]
    world = World(stack)
    break_it(world)

    judgement = run_check(world, id, family)

    assert judgement.verdict is verdict, judgement
    assert words in judgement.reason
