"""Look-ups by getaddrinfo, many of each name and side by side: what they found, and how fast."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_ipv6k8s.agent.ops import lookups
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.expectations import expect_all

LookUps = Record[lookups.Answer]
TIMES = 20
LIMIT = 2.0
"""Seconds that a look-up may take: our limit. With a lost query it takes 5 (resolv.conf(5))."""


def requests(names: Iterable[str], limit: float = LIMIT) -> list[lookups.Request]:
    """Return the requests that look each name up 20 times."""
    return [lookups.Request(name, TIMES, limit=limit, timeout=12.0) for name in names]


def expect_found(records: Sequence[LookUps], wanted: set[str], *, exactly: bool = True) -> None:
    """Expect that no look-up finds anything else, and that at least half are in time.

    A name that is searched for in six domains takes twelve queries: with one in a hundred lost,
    one look-up in nine is late, and more than half of twenty are in two of a million pods.

    Args:
        records: the look-ups of each probe and name.
        wanted: the addresses of the name.
        exactly: whether it may have no others.
    """

    def right(text: str) -> bool:
        found = set(text.split())
        return found == wanted if exactly else wanted <= found

    def good(record: LookUps) -> bool:
        answer = record.answer
        if not all(map(right, (*answer.in_time, *answer.late))):
            return False
        return sum(answer.in_time.values()) * 2 >= count([record]).asked

    addresses = ", ".join(sorted(wanted))
    limit = max((record.request["limit"] for record in records), default=LIMIT)
    expected = (
        f"{addresses} always, in less than {limit:.1f} s (our limit) at least half of {TIMES} times"
    )
    expect_all(records, good, expected=expected, say=say)


def say(record: LookUps) -> str:
    """Return what came of a probe's look-ups of a name."""
    answer = record.answer
    found = [f"{n} in time ({text})" for text, n in answer.in_time.items()]
    late = [f"{n} late ({text})" for text, n in answer.late.items()]
    errors = [f"{n} failed ({text})" for text, n in answer.errors.items()]
    told = ", ".join([*found, *late, *errors])
    return f"{record.path}, {record.request['name']}: {told}; longest {answer.longest:.2f} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Of how many look-ups how many were late or failed; ``p99`` is that of the slowest pod."""

    asked: int
    slow: int
    p99: float


def count(records: Sequence[LookUps]) -> Count:
    """Return the sums over all probes."""
    answers = [record.answer for record in records]
    slow = sum(sum((*a.late.values(), *a.errors.values())) for a in answers)
    in_time = sum(sum(a.in_time.values()) for a in answers)
    return Count(asked=in_time + slow, slow=slow, p99=max((a.p99 for a in answers), default=0.0))
