"""Two reports side by side: which checks are better, worse, new or gone."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_ipv6k8s.verdicts import Verdict


class Change(enum.Enum):
    """What became of a check; in this order changes are told."""

    WORSE = "worse"
    NEW = "new"
    GONE = "gone"
    BETTER = "better"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A check whose verdict is not the same in both reports; empty where it is not there."""

    id: str
    change: Change
    before: str
    after: str
    families: tuple[str, ...]
    requirement: str

    @property
    def is_red(self) -> bool:
        """Whether it is a reason for concern: worse, or red from the beginning."""
        new = self.change is Change.NEW and Verdict(self.after).is_red
        return new or self.change is Change.WORSE


def compare(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Difference]:
    """Return the differences from one report to another, by change and id."""
    before = {check["id"]: check for check in one["checks"]}
    after = {check["id"]: check for check in other["checks"]}
    found = [
        _difference(id, before.get(id), after.get(id))
        for id in sorted(before.keys() | after.keys())
    ]
    order = list(Change)
    differing = [difference for difference in found if difference is not None]
    return sorted(differing, key=lambda difference: order.index(difference.change))


def _difference(
    id: str, one: Mapping[str, Any] | None, other: Mapping[str, Any] | None
) -> Difference | None:
    before, after = (check["verdict"] if check else "" for check in (one, other))
    if before == after:
        return None
    there = other or one or {}
    families = [item["family"] for item in there["items"] if item["verdict"] == there["verdict"]]
    return Difference(
        id=id,
        change=_change(before, after),
        before=before,
        after=after,
        families=tuple(filter(None, families)),
        requirement=there["requirement"],
    )


def _change(before: str, after: str) -> Change:
    if not before:
        return Change.NEW
    if not after:
        return Change.GONE
    old, new = Verdict(before), Verdict(after)
    if new is Verdict.FAIL or (new.is_red and not old.is_red):
        return Change.WORSE
    if old is Verdict.PASS and new is Verdict.SKIP:
        return Change.WORSE
    if new is Verdict.PASS and (old.is_red or old is Verdict.SKIP):
        return Change.BETTER
    return Change.OTHER
