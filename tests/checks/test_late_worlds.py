"""What a cluster loads a moment after our pods are ready turns nothing red."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pytest_ipv6k8s import catalogue, waiting
from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.checks import Level
from pytest_ipv6k8s.probe.probes import ProbePod
from pytest_ipv6k8s.verdicts import Verdict
from tests.checks.breaking import unknown
from tests.checks.lossy import timed_out
from tests.checks.world import World, run_check

LATE = 5
"""So many rounds it takes until everything is loaded."""
Late = Callable[[World, Callable[[], bool]], None]


def _refused(world: World, early: Callable[[], bool]) -> None:
    """No Service of ours has rules yet."""
    addresses = {ip for service in world.services.values() for ip in service.cluster_ips}

    def connect(pod: ProbePod, request: Any, answer: Any) -> Any:
        shut = early() and request.address in addresses
        return replace(timed_out(answer), error="ECONNREFUSED") if shut else answer

    def exchange(pod: ProbePod, request: Any, answer: Any) -> Any:
        shut = early() and request.address in addresses
        lost = replace(answer, echoed=0, pod="", seen_source="", error="ECONNREFUSED")
        return lost if shut else answer

    def send(pod: ProbePod, request: Any, answer: Any) -> Any:
        shut = early() and request.address in addresses
        return replace(answer, arrived=False, arrivals=0, replied=0) if shut else answer

    def transfer(pod: ProbePod, request: Any, answer: Any) -> Any:
        shut = early() and request.address in addresses
        return replace(answer, moved=0, intact=False, error="ECONNREFUSED") if shut else answer

    world.override("tcp_connect", connect)
    world.override("udp_exchange", exchange)
    world.override("udp_sized", send)
    world.override("tcp_transfer", transfer)


def _one_endpoint_missing(world: World, early: Callable[[], bool]) -> None:
    """The rules of a Service do not have its last endpoint yet."""
    first, last = world.pods[0], world.pods[-1]
    addresses = set(world.services["every"].cluster_ips)

    def connect(pod: ProbePod, request: Any, answer: Any) -> Any:
        known = request.address not in addresses or answer.pod != last.name or not early()
        return answer if known else replace(answer, pod=first.name)

    world.override("tcp_connect", connect)


def _names_unknown(world: World, early: Callable[[], bool]) -> None:
    """The DNS has not heard of our Services yet."""
    ours = tuple(service.namespace.encode() for service in world.services.values())

    def exchange(pod: ProbePod, request: Any, answer: Any) -> Any:
        about_ours = any(name in base64.b64decode(request.wire) for name in ours)
        return unknown(request, answer) if early() and about_ours else answer

    world.override("dns_exchange", exchange)


AREAS = ("SVC", "LB", "DNS", "MTU", "EGR", "NODE")
CASES = [
    (id, late)
    for id, declared in catalogue.checks().items()
    if id.partition("-")[0] in AREAS and declared.level is not Level.INFORMATIONAL
    for late in (_refused, _one_endpoint_missing, _names_unknown)
]


@pytest.mark.parametrize(("id", "late"), CASES)
def test_what_comes_late_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, id: str, late: Late
) -> None:
    world, families = World(Stack.DUAL), catalogue.checks()[id].families
    world.ready_at, rounds = time.time(), list[int]()

    def poll(ask: Callable[[], Any], holds: Callable[[Any], bool], **_: float) -> Any:
        for _number in range(4 * LATE):
            rounds.append(1)
            value = ask()
            if holds(value):
                break
        return value

    monkeypatch.setattr(waiting, "poll", poll)
    late(world, lambda: len(rounds) < LATE)

    judgement = run_check(world, id, Family.V6 if families else None)

    assert judgement.verdict is Verdict.PASS, judgement
