"""The diagnosis on top of every format: for each failed check what is wrong, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_ipv6k8s.reports.model import CheckResult
from pytest_ipv6k8s.results import Failure, Outcome, item_name
from pytest_ipv6k8s.verdicts import Verdict

MOST = 5
"""So many headlines are shown in full; the others are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """One fault, as far as can be told from one failed check.

    Attributes:
        id: of the check.
        name: the id, with the family where there is one.
        requirement: what it requires.
        actual: the first thing that was found instead.
        died: where packets died on a failing path; empty where none was asked again.
        facts: what was found beside, what the API says first.
        fix: the likeliest one; empty where none is known.
        look: a command that looks further.
        resting: ids of the checks that were not judged for it.
    """

    id: str
    name: str
    requirement: str
    actual: str
    died: str
    facts: tuple[str, ...]
    fix: str
    look: str
    resting: tuple[str, ...]

    @property
    def lines(self) -> list[tuple[str, str]]:
        """What is told of it, each with its name; what is empty is left out."""
        found = [
            ("actual", self.actual),
            ("died", self.died),
            *(("found", fact) for fact in self.facts),
            ("fix", self.fix),
            ("look", self.look),
        ]
        return [(name, value) for name, value in found if value]


def diagnosis(checks: Sequence[CheckResult]) -> list[Headline]:
    """Return the failed checks that nobody waived, in the order in which they were asked."""
    failed = [check for check in checks if check.verdict is Verdict.FAIL]
    headlines = [
        _headline(checks, check, item, item.failure)
        for check in failed
        if not check.waived
        for item in check.items
        if item.failure is not None
    ]
    return sorted(headlines, key=lambda headline: (-len(headline.resting), not headline.facts))


def _headline(
    checks: Sequence[CheckResult], check: CheckResult, item: Outcome, failure: Failure
) -> Headline:
    return Headline(
        id=check.id,
        name=item_name(check, item),
        requirement=check.requirement,
        actual=failure.actual[0] if failure.actual else "",
        died=failure.traces[0].died if failure.traces else "",
        facts=failure.facts,
        fix=failure.fixes[0] if failure.fixes else "",
        look=failure.look,
        resting=tuple(other.id for other in checks if check.id in other.rests_on),
    )
