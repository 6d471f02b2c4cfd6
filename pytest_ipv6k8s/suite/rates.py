"""First tries without a retry, judged by a rate for each way that was taken."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pytest_ipv6k8s.evidence import Record, mark
from pytest_ipv6k8s.expectations import expect_all

R = TypeVar("R", bound=Record[Any])
SIGMAS = 4.4
"""So many standard deviations above the mean are not chance: once in 41 000 measurements."""
TRIES = 10
LEAST = 7
"""Of ten first tries. With one in a hundred lost, fewer succeed twice in a million times."""


def most_by_chance(count: int, share: float) -> int:
    """Return how many of so many can be hit by chance, where such a share is on average."""
    return math.ceil(count * share + SIGMAS * math.sqrt(count * share * (1 - share)))


def fewest_by_chance(count: int, share: float) -> int:
    """Return how many of so many are hit at least by chance, and one where that is none."""
    return max(1, count - most_by_chance(count, 1 - share))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """The tries on one way: how many there were, and those that failed."""

    records: Sequence[Record[Any]]
    failed: Sequence[Record[Any]]

    @property
    def good(self) -> int:
        """How many succeeded."""
        return len(self.records) - len(self.failed)

    @property
    def share(self) -> float:
        """How many of all succeeded, between 0 and 1."""
        return self.good / len(self.records)


def rates_of(
    records: Sequence[R], condition: Callable[[R], object], way: Callable[[R], Hashable]
) -> list[Rate]:
    """Return the rate of each way; nothing is judged."""
    ways: dict[Hashable, list[R]] = {}
    for record in records:
        ways.setdefault(way(record), []).append(record)
    return [
        Rate(records=tries, failed=[record for record in tries if not condition(record)])
        for tries in ways.values()
    ]


def expect_rates(
    records: Sequence[R],
    condition: Callable[[R], object],
    *,
    way: Callable[[R], Hashable],
    expected: str,
    say: Callable[[R], str],
    least: int = LEAST,
) -> None:
    """Expect that first tries succeed often enough on each way.

    Args:
        records: of all ways, as often as it was tried.
        condition: tells whether one try succeeded.
        way: which way a try took.
        expected: what a try should bring, as a phrase.
        say: puts a try that failed into words.
        least: how many tries of :data:`TRIES` have to succeed, in proportion.

    Raises:
        Unmet: carries one failed try of each way on which too few did, the worst first.
    """
    mark(records, failed=False)
    found = sorted(rates_of(records, condition, way), key=lambda rate: rate.share)
    rates = {id(_shown(rate)): rate for rate in found}

    def sufficient(record: Record[Any]) -> bool:
        return rates[id(record)].share * TRIES >= least

    for rate in found:
        if rate.share * TRIES < least:
            mark(rate.failed, failed=True)

    def told(record: Any) -> str:
        rate = rates[id(record)]
        return f"{rate.good} of {len(rate.records)}: {say(record)}"

    shown = [_shown(rate) for rate in found]
    rule = f"{expected}, at least {least} of {TRIES} first tries"
    expect_all(shown, sufficient, expected=rule, say=told)


def _shown(rate: Rate) -> Record[Any]:
    return rate.failed[0] if rate.failed else rate.records[0]
