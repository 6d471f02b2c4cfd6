"""Waiting for facts and for answers, by a clock that stands still."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

import pytest

from pytest_ipv6k8s import expectations
from pytest_ipv6k8s.errors import Inconclusive
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.expectations import Unmet, eventually
from pytest_ipv6k8s.timeouts import Timeouts
from pytest_ipv6k8s.waiting import wait_until
from tests.unit.clock import Clock


def _saying(*values: Any) -> Callable[[], Any]:
    """Say one value after the other, the last one for ever."""
    left = list(values)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def test_a_fact_that_is_true_is_returned_without_waiting(clock: Clock) -> None:
    assert wait_until("it is so", lambda: ["yes"], timeout=5) == ["yes"]
    assert clock.slept == []


def test_the_first_true_value_is_returned(clock: Clock) -> None:
    assert (
        wait_until("it is so", _saying(None, 0, "", "yes", "no"), timeout=5, interval=0.5) == "yes"
    )
    assert clock.slept == [0.5] * 3


def test_a_fact_that_never_comes_true_is_inconclusive(clock: Clock) -> None:
    with pytest.raises(Inconclusive) as caught:
        wait_until("pod p is Ready", _saying(None, "", []), timeout=3, interval=1)

    assert str(caught.value) == "timed out after 3 s waiting until pod p is Ready; last: []"
    assert sum(clock.slept) <= 3 + 1


def test_an_error_of_the_question_is_not_swallowed(clock: Clock) -> None:
    def broken() -> bool:
        raise KeyError("ours")

    with pytest.raises(KeyError, match="ours"):
        wait_until("it is so", broken, timeout=3)
    assert clock.slept == []


def test_a_deadline_of_nothing_asks_once(clock: Clock) -> None:
    asked: list[int] = []

    with pytest.raises(Inconclusive):
        wait_until("it is so", lambda: asked.append(1), timeout=0)
    assert asked == [1]


def test_the_factor_multiplies_what_a_check_says(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expectations, "_timeout_factor", 1.0)
    expectations.set_timeout_factor(4.0)

    with pytest.raises(Unmet, match="within 20 s"):
        eventually(lambda: _records("no"), _is_yes, expected="it", timeout=5)

    assert sum(clock.slept) >= 20


def test_timeouts_are_scaled_together() -> None:
    usual, scaled = Timeouts(), Timeouts().scaled(3.0)

    assert scaled.factor == 3.0
    assert scaled == replace(scaled, **{n: 3 * s for n, s in asdict(usual).items()})


def test_every_timeout_says_what_is_awaited() -> None:
    documented = re.findall(r"^        (\w+): ", Timeouts.__doc__ or "", re.MULTILINE)

    assert documented == [field.name for field in fields(Timeouts)]


def _records(*answers: str) -> list[Record[Any]]:
    return [Record(source="p", request={}, answer=answer, path="a → b") for answer in answers]


def _is_yes(record: Record[Any]) -> bool:
    return bool(record.answer == "yes")


def test_the_first_answers_that_all_hold_are_returned(clock: Clock) -> None:
    good = _records("yes", "yes")
    ask: Callable[[], Sequence[Record[Any]]] = _saying(_records("no", "yes"), good, _records("no"))

    assert eventually(ask, _is_yes, expected="it", timeout=5) is good
    assert len(clock.slept) == 1


def test_answers_that_hold_at_once_are_asked_once(clock: Clock) -> None:
    eventually(_saying(_records("yes"), _records("no")), _is_yes, expected="it")

    assert clock.slept == []


def test_answers_that_never_hold_tell_how_it_went(clock: Clock) -> None:
    ask = _saying(_records("no", "no", "yes"), _records("yes", "no", "yes"))

    with pytest.raises(Unmet) as caught:
        eventually(ask, _is_yes, expected="a yes from everybody", timeout=1)

    found = re.fullmatch(
        r"a yes from everybody within 1 s \(waited 1\.0 s over (\d+) tries; "
        r"2 of 3 answers failed at first\)",
        caught.value.expected,
    )
    assert found
    assert int(found[1]) == len(clock.slept) + 1
    assert caught.value.actual == ("a → b: no",)
    assert caught.value.paths == ("a → b",)


def test_of_several_tries_the_last_one_is_judged(clock: Clock) -> None:
    first, last = _records("no", "yes"), _records("no", "yes")

    with pytest.raises(Unmet):
        eventually(_saying(first, last), _is_yes, expected="it", timeout=1)

    assert not any(record.mark.judged for record in first)
    assert [record.mark.failed for record in last] == [True, False]
    assert all(record.mark.judged for record in last)
