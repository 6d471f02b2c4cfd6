"""Two reports side by side: which checks are better, worse, new or gone."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from pytest_ipv6k8s.reports.model import CheckResult, Report
from pytest_ipv6k8s.verdicts import Verdict


class Change(enum.Enum):
    """What became of a check; in this order changes are listed."""

    WORSE = "worse"
    NEW = "new"
    GONE = "gone"
    BETTER = "better"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A check whose verdict is not the same in both reports; None where it is not there."""

    id: str
    change: Change
    before: Verdict | None
    after: Verdict | None
    families: tuple[str, ...]
    requirement: str

    @property
    def is_red(self) -> bool:
        """Whether it is a reason for concern: worse, or red from the beginning."""
        new = self.change is Change.NEW and self.after is not None and self.after.is_red
        return new or self.change is Change.WORSE


def compare(one: Report, other: Report) -> list[Difference]:
    """Return the differences from one report to another, by change and id."""
    before = {check.id: check for check in one.checks}
    after = {check.id: check for check in other.checks}
    found = [
        _difference(before.get(id), after.get(id)) for id in sorted(before.keys() | after.keys())
    ]
    order = list(Change)
    differing = [difference for difference in found if difference is not None]
    return sorted(differing, key=lambda difference: order.index(difference.change))


def _difference(one: CheckResult | None, other: CheckResult | None) -> Difference | None:
    before, after = (check.verdict if check else None for check in (one, other))
    there = other or one
    if there is None or before is after:
        return None
    return Difference(
        id=there.id,
        change=_change(before, after),
        before=before,
        after=after,
        families=tuple(
            item.family.value
            for item in there.items
            if item.family and item.verdict is there.verdict
        ),
        requirement=there.requirement,
    )


def _change(old: Verdict | None, new: Verdict | None) -> Change:
    if old is None:
        return Change.NEW
    if new is None:
        return Change.GONE
    if new is Verdict.FAIL or (new.is_red and not old.is_red):
        return Change.WORSE
    if old is Verdict.PASS and new in (Verdict.SKIP, Verdict.NOT_JUDGED):
        return Change.WORSE
    if new is Verdict.PASS and (old.is_red or old in (Verdict.SKIP, Verdict.NOT_JUDGED)):
        return Change.BETTER
    return Change.OTHER
