"""Waiting for facts, with a deadline; the only place that sleeps."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pytest_ipv6k8s.errors import Inconclusive
from pytest_ipv6k8s.evidence import Record, expect

T = TypeVar("T")
_timeout_factor = 1.0


def set_timeout_factor(factor: float) -> None:
    """Multiply every deadline of this process from now on."""
    global _timeout_factor
    _timeout_factor = factor


def patience(seconds: float) -> float:
    """Return how long a deadline really is, for messages."""
    return seconds * _timeout_factor


def wait_until(what: str, fact: Callable[[], T], *, within: float, every: float = 0.2) -> T:
    """Wait for a fact of the API and return it as soon as it is true.

    Args:
        what: the fact, as a clause: "pod p is Ready".
        fact: asked again and again; its first true value is returned.
        within: seconds until we give up.
        every: seconds between two questions.

    Raises:
        Inconclusive: the fact did not come true; names the last value.
    """
    within *= _timeout_factor
    value = _poll(fact, bool, within=within, every=every)
    if not value:
        raise Inconclusive(f"waited {within:.0f} s in vain until {what}; last seen: {value!r}")
    return value


def eventually(
    ask: Callable[[], Sequence[Record[Any]]],
    holds: Callable[[Record[Any]], bool],
    *,
    expected: str,
    within: float = 10.0,
) -> Sequence[Record[Any]]:
    """Ask the data plane until every answer holds: rules may take a moment to be programmed.

    Args:
        ask: puts the questions; the last answers are what a failure shows.
        holds: tells whether one answer is what is expected.
        expected: what should be seen, as a phrase.
        within: seconds until all answers must hold.

    Returns:
        The first answers that all hold.

    Raises:
        Unmet: some never did; carries the last ones, the time, and how the first try went.
    """
    within *= _timeout_factor
    started = time.monotonic()
    records: Sequence[Record[Any]] = ()
    failing_at_first: list[int] = []

    def failing() -> list[Record[Any]]:
        nonlocal records
        records = ask()
        found = [record for record in records if not holds(record)]
        failing_at_first.append(len(found))
        return found

    bad = _poll(failing, lambda found: not found, within=within, every=0.25)
    elapsed = time.monotonic() - started
    told = f"{expected} within {within:.0f} s (waited {elapsed:.1f} s over {len(failing_at_first)} "
    told += f"tries; {failing_at_first[0]} of {len(records)} answers amiss at first)"
    expect(not bad, expected=told, seen=bad)
    return records


def pause(seconds: float) -> None:
    """Wait because somebody asked us to: Retry-After of an API server."""
    time.sleep(seconds)


def _poll(ask: Callable[[], T], holds: Callable[[T], bool], *, within: float, every: float) -> T:
    import tenacity

    def last(state: tenacity.RetryCallState) -> T:
        assert state.outcome is not None
        value: T = state.outcome.result()
        return value

    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_delay(within),
        wait=tenacity.wait_fixed(every),
        retry=tenacity.retry_if_result(lambda value: not holds(value)),
        retry_error_callback=last,
    )
    return retrying(ask)
