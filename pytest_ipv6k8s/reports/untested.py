"""What was not tested, and how to: the skipped checks by what they lack."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_ipv6k8s.features import Feature
from pytest_ipv6k8s.remedies import Remedy, what
from pytest_ipv6k8s.reports.model import Report
from pytest_ipv6k8s.verdicts import Verdict
from pytest_ipv6k8s.words import counted

_EXISTING = "existing"
_REMEDIES = {what(feature.reason): feature.remedy for feature in Feature}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Checks that were skipped for want of one thing.

    Attributes:
        lack: what was missing; where no feature was, the reason of the skip.
        how: how to get it; empty where the reason says all.
        ids: of the checks.
    """

    lack: str
    how: str
    ids: tuple[str, ...]

    def __str__(self) -> str:
        line = f"{self.lack} ({counted(len(self.ids), 'check')})"
        return f"{line}: {self.how}" if self.how else line


def untested(report: Report) -> list[Gap]:
    """Return what was not tested, what the most checks lack first."""
    found: dict[Remedy | str, list[str]] = {}
    for check in report.checks:
        if check.verdict is Verdict.SKIP:
            remedy = _REMEDIES.get(what(check.reason))
            found.setdefault(remedy or check.reason, []).append(check.id)
    made = report.cluster.provider != _EXISTING
    gaps = [
        Gap(
            lack=lack.title if isinstance(lack, Remedy) else lack,
            how=lack.how(made=made) if isinstance(lack, Remedy) else "",
            ids=tuple(ids),
        )
        for lack, ids in found.items()
    ]
    return sorted(gaps, key=lambda gap: (-len(gap.ids), gap.lack))
