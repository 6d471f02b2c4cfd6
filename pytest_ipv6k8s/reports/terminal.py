"""A report as a terminal shows it at the end of a run: the diagnosis first, then the counts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pytest_ipv6k8s.reports import view
from pytest_ipv6k8s.reports.diagnosis import MOST, Headline, diagnosis
from pytest_ipv6k8s.reports.folding import count
from pytest_ipv6k8s.reports.matrix import MISSED
from pytest_ipv6k8s.reports.model import Counts, Report
from pytest_ipv6k8s.reports.untested import untested
from pytest_ipv6k8s.verdicts import Verdict
from pytest_ipv6k8s.words import counted
from pytest_ipv6k8s.wrapping import wrapped, wrapped_command

MARKUP: dict[Verdict, dict[str, bool]] = {
    Verdict.PASS: {"green": True},
    Verdict.FAIL: {"red": True, "bold": True},
    Verdict.INCONCLUSIVE: {"yellow": True, "bold": True},
    Verdict.NOT_JUDGED: {"yellow": True},
    Verdict.INFORMATIONAL: {"cyan": True},
    Verdict.SKIP: {"yellow": True},
    Verdict.NOT_APPLICABLE: {"light": True},
}
_SHORT = {
    Verdict.INCONCLUSIVE: "inconcl.",
    Verdict.NOT_JUDGED: "unjudged",
    Verdict.INFORMATIONAL: "inform.",
    Verdict.NOT_APPLICABLE: "n/a",
}
_WRONG = (Verdict.FAIL, Verdict.INCONCLUSIVE)
_MOST_IDS = 8
_MOST_FACTS = 2
_MOST_NODES = 10
_COLUMN = 9


class Line(NamedTuple):
    """One or several lines of text, and the markup that pytest gives them."""

    text: str
    markup: Mapping[str, bool] = {}


def headlines(report: Report, width: int, *, shown: bool = False) -> Iterator[Line]:
    """Yield what is wrong, the likeliest root first: what was found, how to fix it, where to look.

    Args:
        report: of the run.
        width: of a line.
        shown: whether the failures stand above in full; a single one is not told again.
    """
    found, told = diagnosis(report.checks), set[str]()
    for headline in found[:MOST]:
        title = f"{headline.name}  {headline.requirement}"
        yield Line(wrapped(title, width), {"red": True, "bold": True})
        for name, value in [] if shown and len(found) == 1 else _in_short(headline):
            head = f"  {name:9} "
            is_command = name == "look"
            yield Line(
                wrapped_command(head, value, width) if is_command else wrapped(head + value, width)
            )
        if headline.resting and headline.id not in told:
            told.add(headline.id)
            text = f"{_checks(headline.resting)} on it, not judged: {some(headline.resting)}"
            yield Line(wrapped(f"  rests     {text}", width))
    if found[MOST:]:
        names = ", ".join(headline.name for headline in found[MOST:])
        yield Line(wrapped(f"also failed  {names}", width), {"red": True})


def _in_short(headline: Headline) -> list[tuple[str, str]]:
    """Return what is told of it, without the facts that the failure above it has in full."""
    return dataclasses.replace(headline, facts=headline.facts[:_MOST_FACTS]).lines


def counts(report: Report, items: int) -> Iterator[Line]:
    """Yield how many checks of each area came to which verdict; verdicts that none has are out.

    Where something failed or is inconclusive, the areas in which nothing did are counted together.

    Args:
        report: of the run.
        items: how many there were; a check may have one for each family.
    """
    there = [verdict for verdict in Verdict if report.summary[verdict]]
    yield Line(f"{'checks':8}" + "".join(f"{_short(verdict):>{_COLUMN}}" for verdict in there))
    wrong = {area: row for area, row in report.areas.items() if any(row[kind] for kind in _WRONG)}
    for area, row in (wrong or report.areas).items():
        yield Line(f"{area:8}" + _numbers(row, there))
    if wrong and len(wrong) < len(report.areas):
        others = count(check for check in report.checks if check.area not in wrong)
        yield Line(f"{'others':8}" + _numbers(others, there))
    yield Line(f"{'all':8}" + _numbers(report.summary, there), {"bold": True})
    if items > len(report.checks):
        text = f"items    {items}: a check has one for each family, and pytest counts them below"
        yield Line(text)


def _short(verdict: Verdict) -> str:
    return _SHORT.get(verdict, verdict.value)


def _numbers(row: Counts, there: list[Verdict]) -> str:
    return "".join(f"{row[verdict] or '.':>{_COLUMN}}" for verdict in there)


def reasons(report: Report, width: int, *, verbose: bool = False) -> Iterator[Line]:
    """Yield why checks are inconclusive, waived or not judged, and what was not tested."""
    for reason, names in view.inconclusive(report).items():
        text = f"inconclusive  {some(names)}: {' '.join(reason.split())}"
        yield Line(wrapped(text, width), {"yellow": True})
    for check in report.checks:
        if check.waived:
            yield Line(
                wrapped(f"waived  {check.id} ({check.verdict.value}): {check.waived}", width)
            )
    told = {headline.id for headline in diagnosis(report.checks)[:MOST]}
    for base, ids in view.not_judged(report).items():
        if base in told:
            continue
        text = f"not judged  {_checks(ids)} on {base}: {some(ids)}"
        yield Line(wrapped(text, width))
    yield from _untested(report, width, in_short=bool(told) and not verbose)
    for reason, ids in view.skipped(report).items() if verbose else ():
        yield Line(wrapped(f"skipped  {', '.join(ids)}: {reason}", width))


def _untested(report: Report, width: int, *, in_short: bool) -> Iterator[Line]:
    """Yield what was not tested; in short where something else has to be looked at first."""
    gaps = untested(report)
    if gaps and in_short:
        number = sum(len(gap.ids) for gap in gaps)
        yield Line(f"Not tested: {counted(number, 'check')} (-v: how to)")
        return
    if gaps:
        yield Line("Not tested, and how to (-v: why):")
    for gap in gaps:
        yield Line(wrapped(f"  {gap}", width))


def _checks(ids: Sequence[str]) -> str:
    return f"{counted(len(ids), 'check')} rest{'s' if len(ids) == 1 else ''}"


def some(ids: Sequence[str]) -> str:
    """Return the first ids, and how many more there are."""
    more = f" and {len(ids) - _MOST_IDS} more" if len(ids) > _MOST_IDS else ""
    return ", ".join(ids[:_MOST_IDS]) + more


def matrix(report: Report, width: int) -> Iterator[Line]:
    """Yield which node's pods reach which node's, in each family in which one does not."""
    nodes = report.connectivity.nodes
    if len(nodes) > _MOST_NODES:
        return
    name_width = min(max(map(len, nodes), default=0), width - 3 * len(nodes) - 4)
    for family, rows in report.connectivity.families.items():
        if not any(MISSED in row for row in rows):
            continue
        numbers = "".join(f"{number:>3}" for number, _ in enumerate(nodes, 1))
        head = f"{family.value} from, to"
        yield Line(f"{head:{name_width + 3}} {numbers}")
        for number, (name, signs) in enumerate(zip(nodes, rows, strict=True), 1):
            shown = "".join(f"{sign:>3}" for sign in signs)
            is_red = {"red": True} if MISSED in signs else {}
            yield Line(f"{number:2} {name[:name_width]:{name_width}} {shown}", is_red)
    if any(MISSED in row for rows in report.connectivity.families.values() for row in rows):
        yield Line("   + reached, - not reached, . not asked: pods of nodes, over TCP")


def claims(report: Report, width: int) -> Iterator[Line]:
    """Yield what the run says of each profile that was claimed."""
    for claim in report.profiles:
        parts = [
            f"{name} {part.result.value} ({view.passed(part)} pass)"
            for name, part in (("core", claim.core), ("extended", claim.extended))
            if part is not None
        ]
        yield Line(wrapped(f"profile  {claim.name}: {', '.join(parts)}", width))
