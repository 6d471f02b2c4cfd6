"""The evidence that a report keeps is what was judged."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pytest_ipv6k8s import waiting
from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.evidence import Record, kept
from pytest_ipv6k8s.probe.probes import ProbePod
from pytest_ipv6k8s.verdicts import Verdict
from tests.checks.world import World, record_check

LIMIT = 10


def _poll(ask: Callable[[], Any], condition: Callable[[Any], bool], **_: float) -> Any:
    return next(value for value in (ask() for _ in range(5)) if condition(value))


def _is_shut(record: Record[Any]) -> bool:
    answer = record.answer
    return getattr(answer, "connected", None) is False or getattr(answer, "echoed", None) == 0


def test_a_check_that_converges_late_keeps_the_answers_that_convinced_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting, "poll", _poll)
    world, turn = World(Stack.IPV6), itertools.count()

    def late(pod: ProbePod, request: Any, answer: Any) -> Any:
        return replace(answer, echoed=0) if next(turn) < 2 * 2 else answer

    world.override("udp_exchange", late)
    world.ready_at = time.time()
    judgement, records = record_check(world, "SVC-02", Family.V6)

    assert judgement.verdict is Verdict.PASS
    assert [record.answer.echoed for record in records] == [0] * 4 + [10] * 6
    shown = kept(records, LIMIT)
    assert [record.answer.echoed for record in shown] == [10] * 2 + [0] * 4 + [10] * 4


@pytest.mark.parametrize("family", Family)
def test_a_policy_that_shuts_pods_is_shown_to_shut_them(family: Family) -> None:
    judgement, records = record_check(World(Stack.DUAL), "POL-01", family)

    assert judgement.verdict is Verdict.PASS
    shown = kept(records, LIMIT)
    assert len(shown) == LIMIT
    shut = [record for record in shown if _is_shut(record)]
    assert 0 < len(shut) < LIMIT, "flows that are shut, and controls that are not"


def test_a_policy_that_shuts_nothing_is_shown_to_fail() -> None:
    world = World(Stack.IPV6)
    world.policed.verdict = lambda packet, right: True

    judgement, records = record_check(world, "POL-01", Family.V6)

    assert judgement.verdict is Verdict.FAIL
    shown = kept(records, LIMIT)
    assert all(record.mark.failed for record in shown)
    assert not any(map(_is_shut, shown))
