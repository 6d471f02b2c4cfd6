"""What a check expects: stated of one answer, of all of them, or after a time of convergence."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from pytest_ipv6k8s import waiting
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.masking import redact

# Checks say a timeout in seconds and know no settings, so this one factor belongs to the process:
# the plugin sets it, once, before anything is asked. Whatever is no check is handed `Timeouts`.
_timeout_factor = 1.0


def set_timeout_factor(factor: float) -> None:
    """Multiply the timeout of every :func:`eventually` of this process from now on."""
    global _timeout_factor
    _timeout_factor = factor


class Unmet(AssertionError):
    """A requirement that the cluster did not meet.

    Attributes:
        expected: what should have been seen.
        seen: what was seen instead, one line for each finding.
        paths: from where to where, where there was a path.
        records: the answers that failed, as far as they are known.
    """

    def __init__(
        self,
        expected: str,
        seen: Sequence[str],
        paths: Sequence[str],
        records: Sequence[Record[Any]] = (),
    ) -> None:
        super().__init__(f"expected {expected}; seen: {'; '.join(seen[:3])}")
        self.expected = expected
        self.seen = tuple(seen)
        self.paths = tuple(paths)
        self.records = tuple(records)


def expect(holds: object, *, expected: str, seen: object, say: Callable[[Any], str] = str) -> None:
    """State what a check expects; an expectation that does not hold fails the check.

    Args:
        holds: true when the expectation is met.
        expected: what should be seen, as a phrase: "an answer from every pod".
        seen: what was seen: one or several records, or anything else.
        say: puts one finding into words.

    Raises:
        Unmet: it does not hold.
    """
    if holds:
        return
    findings = list(seen) if isinstance(seen, (list, tuple, set, frozenset)) else [seen]
    records = [item for item in findings if isinstance(item, Record)]
    paths = dict.fromkeys(record.path for record in records if record.path)
    told = [str(redact(say(item))) for item in findings] or ["nothing"]
    raise Unmet(expected, told, list(paths), records)


def eventually(
    ask: Callable[[], Sequence[Record[Any]]],
    holds: Callable[[Record[Any]], bool],
    *,
    expected: str,
    timeout: float = 10.0,
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
    timeout *= _timeout_factor
    started = time.monotonic()
    records: Sequence[Record[Any]] = ()
    failing_at_first: list[int] = []

    def failing() -> list[Record[Any]]:
        nonlocal records
        records = ask()
        found = [record for record in records if not holds(record)]
        failing_at_first.append(len(found))
        return found

    bad = waiting.poll(failing, lambda found: not found, timeout=timeout, interval=0.25)
    elapsed = time.monotonic() - started
    tries = f"waited {elapsed:.1f} s over {len(failing_at_first)} tries"
    first = f"{failing_at_first[0]} of {len(records)} answers failed at first"
    expect(not bad, expected=f"{expected} within {timeout:.0f} s ({tries}; {first})", seen=bad)
    return records
