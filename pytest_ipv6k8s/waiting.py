"""Waiting for a condition, with a deadline; nothing else here sleeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pytest_ipv6k8s.errors import Inconclusive

T = TypeVar("T")


def wait_until(
    what: str, condition: Callable[[], T], *, timeout: float, interval: float = 0.2
) -> T:
    """Wait for a condition and return its value as soon as it is true.

    Args:
        what: the condition, as a clause: "pod p is Ready".
        condition: called again and again; its first true value is returned.
        timeout: seconds until we give up.
        interval: seconds between two calls.

    Raises:
        Inconclusive: it did not come true; names the last value.
    """
    value = poll(condition, bool, timeout=timeout, interval=interval)
    if not value:
        raise Inconclusive(f"timed out after {timeout:.0f} s waiting until {what}; last: {value!r}")
    return value


def poll(
    ask: Callable[[], T], condition: Callable[[T], bool], *, timeout: float, interval: float
) -> T:
    """Ask until a value meets the condition and return it, or else the last value.

    Args:
        ask: returns a value.
        condition: tells whether it is the one awaited.
        timeout: seconds until we give up.
        interval: seconds between two values.
    """
    import tenacity

    def last(state: tenacity.RetryCallState) -> T:
        assert state.outcome is not None
        value: T = state.outcome.result()
        return value

    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_delay(timeout),
        wait=tenacity.wait_fixed(interval),
        retry=tenacity.retry_if_result(lambda value: not condition(value)),
        retry_error_callback=last,
    )
    return retrying(ask)


def persist(
    do: Callable[[], T],
    trouble: type[Exception] | tuple[type[Exception], ...],
    *,
    timeout: float,
    interval: float,
) -> T:
    """Do something again as long as it raises, and return what it returns; raise the last trouble.

    Args:
        do: may be done twice.
        trouble: what may pass.
        timeout: seconds after which it is not done again.
        interval: seconds between two times.
    """
    import tenacity

    return tenacity.Retrying(
        stop=tenacity.stop_after_delay(timeout),
        wait=tenacity.wait_fixed(interval),
        retry=tenacity.retry_if_exception_type(trouble),
        reraise=True,
    )(do)
