"""Waiting for facts, with a deadline; the only place that sleeps."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from pytest_ipv6k8s.errors import Inconclusive

T = TypeVar("T")
_timeout_factor = 1.0


def set_timeout_factor(factor: float) -> None:
    """Multiply every deadline of this process from now on."""
    global _timeout_factor
    _timeout_factor = factor


def patience(seconds: float) -> float:
    """Return how long a deadline really is, for messages."""
    return seconds * _timeout_factor


def wait_until(what: str, fact: Callable[[], T], *, timeout: float, interval: float = 0.2) -> T:
    """Wait for a fact of the API and return it as soon as it is true.

    Args:
        what: the fact, as a clause: "pod p is Ready".
        fact: asked again and again; its first true value is returned.
        within: seconds until we give up.
        every: seconds between two questions.

    Raises:
        Inconclusive: the fact did not come true; names the last value.
    """
    timeout *= _timeout_factor
    value = poll(fact, bool, timeout=timeout, interval=interval)
    if not value:
        raise Inconclusive(f"timed out after {timeout:.0f} s waiting until {what}; last: {value!r}")
    return value


def pause(seconds: float) -> None:
    """Wait because somebody asked us to: Retry-After of an API server."""
    time.sleep(seconds)


def poll(ask: Callable[[], T], holds: Callable[[T], bool], *, timeout: float, interval: float) -> T:
    import tenacity

    def last(state: tenacity.RetryCallState) -> T:
        assert state.outcome is not None
        value: T = state.outcome.result()
        return value

    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_delay(timeout),
        wait=tenacity.wait_fixed(interval),
        retry=tenacity.retry_if_result(lambda value: not holds(value)),
        retry_error_callback=last,
    )
    return retrying(ask)
