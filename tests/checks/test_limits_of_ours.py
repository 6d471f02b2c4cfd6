"""Limits of ours on seconds leave room for what the round trips of a long path take."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.agent.ops import lookups
from pytest_ipv6k8s.probe.probes import ProbePod
from pytest_ipv6k8s.verdicts import Verdict
from tests.checks.breaking import answers
from tests.checks.world import World, run_check

FAR = answers("tcp_connect", seconds=0.3)


@pytest.mark.parametrize(("far", "verdict"), [(True, Verdict.PASS), (False, Verdict.FAIL)])
def test_a_fallback_takes_as_long_as_the_way(far: bool, verdict: Verdict) -> None:
    world = World(Stack.DUAL)
    answers("happy_eyeballs", seconds=1.6)(world)
    if far:
        FAR(world)

    assert run_check(world, "EGR-07").verdict is verdict


@pytest.mark.parametrize(
    ("id", "operation", "limit"), [("DNS-16", "lookups", 5.6), ("SVC-13", "tcp_connect", 2.6)]
)
def test_what_is_asked_has_more_time_on_a_long_way(id: str, operation: str, limit: float) -> None:
    world, given = World(Stack.IPV6), []

    def look(pod: ProbePod, request: Any, answer: Any) -> Any:
        given.append(request.limit if isinstance(request, lookups.Request) else request.timeout)
        return replace(answer, seconds=0.3) if operation == "tcp_connect" else answer

    FAR(world)
    world.override(operation, look)

    assert run_check(world, id, Family.V6 if id.startswith("SVC") else None).verdict is Verdict.PASS
    assert pytest.approx(limit) in given


def test_one_fallback_in_five_may_lose_a_query() -> None:
    world, asked = World(Stack.DUAL), []

    def late(pod: ProbePod, request: Any, answer: Any) -> Any:
        asked.append(request)
        return replace(answer, seconds=5.2) if len(asked) % 5 == 0 else answer

    world.override("happy_eyeballs", late)

    assert run_check(world, "EGR-07").verdict is Verdict.PASS


def test_the_service_kubernetes_may_have_been_given_a_second_address() -> None:
    world = World(Stack.DUAL)
    service = next(s for s in world.objects["services"] if s["metadata"]["name"] == "kubernetes")
    service["spec"].update(clusterIPs=["10.96.0.1", "fd00:10:96::1"], ipFamilies=["IPv4", "IPv6"])

    assert run_check(world, "API-22").verdict is Verdict.PASS
