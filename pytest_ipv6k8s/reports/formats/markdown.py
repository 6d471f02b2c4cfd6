"""The report as Markdown, for people and for ``$GITHUB_STEP_SUMMARY``: failures first, and short
enough for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from pytest_ipv6k8s.reports import view
from pytest_ipv6k8s.reports.diagnosis import MOST, Headline, diagnosis
from pytest_ipv6k8s.reports.model import CheckResult, Claim, Counts, Report
from pytest_ipv6k8s.reports.untested import untested
from pytest_ipv6k8s.results import Failure, Outcome, item_name
from pytest_ipv6k8s.verdicts import Result, Verdict
from pytest_ipv6k8s.words import counted

SUFFIXES = (".md",)
MOST_BYTES = 1_000_000  # a step's summary may have 1 MiB
_RESULTS = {Result.SUCCESS: "✅", Result.PARTIAL: "🟡", Result.FAILURE: "❌"}
_SIGNS = {
    Verdict.FAIL: "❌",
    Verdict.INCONCLUSIVE: "❓",
    Verdict.NOT_JUDGED: "⏸️",
    Verdict.PASS: "✅",
    Verdict.INFORMATIONAL: "💬",
    Verdict.SKIP: "⏭️",
    Verdict.NOT_APPLICABLE: "▫️",
}
_REACHABILITY = {"reached": "✅", "not reached": "❌", "not asked": "·"}
_LINES = 10
_IDS = 20
_CUT = (
    "\n*Cut here, for the whole is too long for this place. The YAML or JSON report has it all.*\n"
)


def write(report: Report, out: TextIO) -> None:
    """Write the report, cut between two blocks when it grows too long."""
    left = MOST_BYTES - len(_CUT.encode())
    for block in _blocks(report):
        left -= len(block.encode())
        if left < 0:
            out.write(_CUT)
            return
        out.write(block)


def _blocks(report: Report) -> Iterator[str]:
    yield from _head(report)
    yield from _diagnosis(report)
    yield from _red(report, Verdict.FAIL, "Failures")
    yield from _red(report, Verdict.INCONCLUSIVE, "Inconclusive")
    yield from _profiles(report)
    yield from _areas(report)
    yield from _connectivity(report)
    yield from _waivers(report)
    yield from _untested(report)
    yield from _checks(report)
    yield from _harness(report)
    yield from _reproduce(report)


def _head(report: Report) -> Iterator[str]:
    yield f"# IPv6 conformance: {_RESULTS[report.result]} {report.result.value}\n\n"
    who, suite = view.identity(report), report.suite
    facts = ", ".join(f"{name} {_text(value)}" for name, value in view.environment(report))
    yield f"{_text(who)}\n\n" if who else ""
    yield f"{facts}.\n\n"
    yield f"{report.date}, {suite.name} {_text(suite.version)}, catalogue {suite.catalogue}.\n"
    if not report.selection.is_whole:
        yield f"\n**{_text(str(report.selection))}.**\n"
    if not report.complete:
        yield "\n**The run did not come to its end.**\n"
    if report.redacted:
        yield "\nAddresses and names stand as pseudonyms.\n"
    verdicts = [verdict.value for verdict in Verdict]
    yield "\n" + _table(verdicts, [[str(report.summary[verdict]) for verdict in Verdict]])


def _diagnosis(report: Report) -> Iterator[str]:
    found = diagnosis(report.checks)
    yield "\n## Diagnosis\n\n" if found else ""
    for headline in found[:MOST]:
        resting = f" ({_resting(headline)})" if headline.resting else ""
        yield f"* **{headline.name}** {_text(headline.requirement)}{resting}\n"
        for name, value in headline.lines:
            yield f"  * {name}: {_code(value) if name == 'look' else _text(value)}\n"
    more = [headline.name for headline in found[MOST:]]
    yield f"* and {', '.join(more)}\n" if more else ""


def _resting(headline: Headline) -> str:
    number = len(headline.resting)
    rest = "rests on it and was" if number == 1 else "rest on it and were"
    return f"{counted(number, 'check')} {rest} not judged"


def _red(report: Report, verdict: Verdict, title: str) -> Iterator[str]:
    checks = view.with_item(report, verdict)
    yield f"\n## {title}\n" if checks else ""
    for check in checks:
        for item in check.items:
            if item.verdict is verdict:
                yield _explained(check, item)


def _explained(check: CheckResult, item: Outcome) -> str:
    name, requirement = item_name(check, item), _text(check.requirement)
    lines = [f"\n### {_SIGNS[item.verdict]} {name} {requirement}\n"]
    if check.waived:
        lines.append(f"* **waived**: {_text(check.waived)}")
    lines.append(f"* source: {_text('; '.join(check.references))}")
    lines += _failure(item.failure) if item.failure else [f"* reason: {_text(item.reason)}"]
    if item.bundle:
        lines.append(f"* bundle: {_code(item.bundle)}")
    return "\n".join(lines) + "\n"


def _failure(failure: Failure) -> list[str]:
    actual = failure.actual
    more = [f"… and {len(actual) - _LINES} more"] if len(actual) > _LINES else []
    return [
        f"* expected: {_text(failure.expected)}",
        *_list("actual", [*actual[:_LINES], *more]),
        *_list("path", view.paths_beside(failure)[:_LINES]),
        *_list("died", view.deaths(failure)),
        *_list("found", failure.facts),
        *_list("likely causes", failure.causes),
        *_list("fixes", failure.fixes),
        f"* look: {_code(failure.look)}",
    ]


def _list(name: str, values: Sequence[str]) -> list[str]:
    return [f"* {name}:", *(f"  1. {_text(value)}" for value in values)] if values else []


def _profiles(report: Report) -> Iterator[str]:
    rows = [row for claim in report.profiles for row in _parts(claim)]
    if rows:
        yield "\n## Profiles\n\n" + _table(("profile", "part", "result", "pass", "gaps"), rows)


def _parts(claim: Claim) -> Iterator[list[str]]:
    for name, part in (("core", claim.core), ("extended", claim.extended)):
        if part is not None:
            gaps = "; ".join(f"{word}: {_ids(ids)}" for word, ids in view.gaps(part))
            result = f"{_RESULTS[part.result]} {part.result.value}"
            yield [claim.name, name, result, view.passed(part), gaps]


def _ids(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _IDS} more" if len(ids) > _IDS else ""
    return ", ".join(ids[:_IDS]) + more


def _areas(report: Report) -> Iterator[str]:
    families = view.families(report)
    rows = [
        [area, *(_counts(row.get(family, {})) for family in families)]
        for area, row in view.by_area(report).items()
    ]
    if rows:
        yield "\n## Verdicts by area and family\n\n" + _table(("area", *families), rows)


def _counts(counts: Counts) -> str:
    return ", ".join(
        f"{_SIGNS[verdict]} {count} {verdict.value}" for verdict, count in counts.items()
    )


def _connectivity(report: Report) -> Iterator[str]:
    rows = [
        [
            _text(source),
            *(
                ", ".join(f"{family} {_REACHABILITY[word]}" for family, word in cell.items())
                for _, cell in cells
            ),
        ]
        for source, cells in view.paths(report)
    ]
    if rows:
        nodes = [_text(name) for name in report.connectivity.nodes]
        yield "\n## Pods reach pods, over TCP\n\n" + _table(("from, to", *nodes), rows)


def _waivers(report: Report) -> Iterator[str]:
    rows = [
        [
            waiver.id,
            waiver.verdict.value if waiver.verdict else "not run",
            _text(waiver.reason),
        ]
        for waiver in report.waivers
    ]
    if rows:
        yield "\n## Waivers\n\n" + _table(("check", "verdict", "reason"), rows)


def _untested(report: Report) -> Iterator[str]:
    rows = [
        [_text(gap.lack), _text(gap.how), str(len(gap.ids)), ", ".join(gap.ids)]
        for gap in untested(report)
    ]
    if rows:
        yield "\n## Not tested, and how to\n\n"
        yield _table(("what is missing", "how to", "checks", "ids"), rows)


def _checks(report: Report) -> Iterator[str]:
    rows = [
        [check.id, f"{_SIGNS[check.verdict]} {check.verdict.value}", _text(check.requirement)]
        for check in report.checks
    ]
    yield "\n## All checks\n\n<details><summary>" + f"{counted(len(rows), 'check')}</summary>\n\n"
    yield _table(("check", "verdict", "requirement"), rows)
    yield "\n</details>\n"


def _harness(report: Report) -> Iterator[str]:
    rows = [
        [fact.id, _text(fact.title), "yes" if fact.ok else "**no**", _text(fact.actual)]
        for fact in report.harness
    ]
    if rows:
        yield "\n## The run itself\n\n" + _table(("id", "fact", "ok", "actual"), rows)


def _reproduce(report: Report) -> Iterator[str]:
    facts = report.reproduce
    fence = "`" * max(3, 1 + _longest_run(facts.command))
    yield f"\n## Reproduce\n\n{fence}sh\n{facts.command}\n{fence}\n\n"
    rows = [[name, _text(value)] for name, value in {**facts.versions, **facts.images}.items()]
    yield _table(("what", "version or image"), rows)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(head)
    lines = [names, ["---"] * len(names), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _text(text: str) -> str:
    """Return a text that Markdown leaves as it is, on one line."""
    plain = re.sub(r"([\\`*_\[\]|~])", r"\\\1", " ".join(text.split()))
    return plain.replace("&", "&amp;").replace("<", "&lt;")


def _code(text: str) -> str:
    fence = "`" * (1 + _longest_run(text))
    return f"{fence} {' '.join(text.split())} {fence}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall(r"`+", text)), default=0)
