"""Likely causes of a failure, and what has to be seen of it for a cause to lead or to go."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_ipv6k8s.evidence import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of a failure.

    Attributes:
        failed: the answers that did not meet an expectation.
        good: those that were judged and met all.
        told: what was found, in words: by the check, by the API, and beside the verdict.
    """

    failed: Sequence[Record[Any]] = ()
    good: Sequence[Record[Any]] = ()
    told: Sequence[str] = ()


When = Callable[[Seen], bool]


def never(_: Seen) -> bool:
    """Hold of no failure."""
    return False


@dataclass(frozen=True, slots=True)
class Cause:
    """Why clusters fail a check.

    Attributes:
        text: the cause, as a clause.
        shown: holds where it was measured: then it comes first.
        excluded: holds where it cannot be: then it is not told.
    """

    text: str
    shown: When = never
    excluded: When = never

    def __str__(self) -> str:
        return self.text


def only(when: When, text: str) -> Cause:
    """Return a cause that is the likeliest where this holds, and cannot be where it does not."""
    return Cause(text, shown=when, excluded=no(when))


def first(when: When, text: str) -> Cause:
    """Return a cause that is the likeliest where this holds, and one of several elsewhere."""
    return Cause(text, shown=when)


def unless(when: When, cause: str | Cause) -> Cause:
    """Return a cause that cannot be where this holds, either."""
    known = cause if isinstance(cause, Cause) else Cause(cause)
    return replace(known, excluded=either(known.excluded, when))


def likely(causes: Iterable[Cause], seen: Seen) -> tuple[str, ...]:
    """Return the causes of a failure in words: what was measured first, what cannot be left out.

    Those of which nothing is known keep their order. Where none can be, the evidence fits nothing
    that we know: then all are told.
    """
    everything = tuple(causes)
    possible = [cause for cause in everything if not cause.excluded(seen)] or everything
    return tuple(str(cause) for cause in sorted(possible, key=lambda c: not c.shown(seen)))


def no(when: When) -> When:
    """Return what holds where another does not."""
    return lambda seen: not when(seen)


def either(*whens: When) -> When:
    """Return what holds where one of several does."""
    return lambda seen: any(when(seen) for when in whens)


def told(pattern: str) -> When:
    """Return what holds where something was found in these words, a regular expression."""
    return lambda seen: any(re.search(pattern, text) for text in seen.told)


def failing(condition: Callable[[Record[Any]], object]) -> When:
    """Return what holds where all answers that failed are so, and there are some."""
    return lambda seen: bool(seen.failed) and all(map(condition, seen.failed))


def some(condition: Callable[[Record[Any]], object]) -> When:
    """Return what holds where one of the answers that failed is so."""
    return lambda seen: any(map(condition, seen.failed))
