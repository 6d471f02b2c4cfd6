"""From three phases of an item to one verdict and one result."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest

from pytest_ipv6k8s import catalogue
from pytest_ipv6k8s.checks import Check, Level
from pytest_ipv6k8s.errors import Inconclusive
from pytest_ipv6k8s.evidence import Record, Recorder, digest, kept
from pytest_ipv6k8s.expectations import take_statements
from pytest_ipv6k8s.masking import one_line, redact, redact_text
from pytest_ipv6k8s.plain import build, plain
from pytest_ipv6k8s.plugin import reachability
from pytest_ipv6k8s.plugin.collection import (
    HELD,
    NOT_APPLICABLE,
    UNMET,
    declared_by,
    family_of,
    id_of,
)
from pytest_ipv6k8s.plugin.diagnosing import failure
from pytest_ipv6k8s.plugin.state import (
    FACTS,
    INSTRUMENTS,
    LEDGER,
    RECORDER,
    SETTINGS,
    WHERE,
    is_worker,
)
from pytest_ipv6k8s.resting import Ledger, place_of, red
from pytest_ipv6k8s.results import CheckFacts, Evidence, ItemResult, Outcome, Reach
from pytest_ipv6k8s.verdicts import Judgement, Phase, Verdict, judge


class Bundling(Protocol):
    """Who leaves a bundle of a run's red checks."""

    def add(self, result: ItemResult, records: tuple[Record[Any], ...], error: Any) -> str:
        """Add an item that is red; return the path that the bundle will have."""

    def pack(self, results: Sequence[ItemResult]) -> Path:
        """Write the bundle; return its path."""


BUNDLES = pytest.StashKey[Bundling]()
_RESULT = pytest.StashKey[ItemResult]()
_SHOWN = pytest.StashKey[bool]()
_MOST_CAUSES = 3
_MOST_FAILED = 2
_BASES = 120.0
"""Seconds that a failed check waits for those that it rests on, which another worker may run."""


def result_in(report: pytest.TestReport) -> ItemResult | None:
    """Return what became of an item, which its teardown report carries; None with any other."""
    data = getattr(report, "ipv6k8s", None)
    return None if data is None else build(ItemResult, data)


def category_in(report: pytest.TestReport) -> str | None:
    """Return the category under which pytest counts a check's report, None for a test's."""
    category: str | None = getattr(report, "ipv6k8s_category", None)
    return category


def _shape(report: pytest.TestReport, category: str, **attributes: Any) -> None:
    """Set the category under which a report is counted, and attributes that pytest itself reads.

    xdist carries the attributes of a report to the controller, so all of them are plain data.
    """
    for name, value in {"ipv6k8s_category": category, **attributes}.items():
        setattr(report, name, value)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Judge a check when its body has ended, or never began; hand over the result at teardown."""
    report = yield
    declared = declared_by(item)
    if declared is None:
        return report
    _shape(report, "")
    if report.when == "teardown":
        _finish(item, report)
    elif report.when == "call" or not report.passed:
        _decide(item, declared, report, call)
    return report


def _decide(
    item: pytest.Item, declared: Check, report: pytest.TestReport, call: pytest.CallInfo[None]
) -> None:
    records = item.config.stash.setdefault(RECORDER, Recorder()).take()
    stated = take_statements()
    error = call.excinfo.value if call.excinfo else None
    out_of_order = _out_of_order(item, error)
    held = item.stash.get(HELD, ())
    if not out_of_order and report.when == "call":
        held = _explained_by(item, declared, records, error)
    judgement = judge(
        level=declared.level,
        answers=len(records),
        expectations=stated.expectations,
        remarks=stated.remarks,
        error=error,
        phase=Phase(report.when),
        not_applicable=item.stash.get(NOT_APPLICABLE, ""),
        skipped="" if held else _skipped(item, error),
        out_of_order=out_of_order,
        rests_on=held,
    )
    result = ItemResult(
        check=_facts(declared),
        outcome=_outcome(item, declared, report, judgement, records, error),
        reachability=_reachability(item, declared, records),
        failed=_failed(judgement.verdict, records),
    )
    if judgement.verdict.is_red and not _waiver(item, declared.id):
        result = _with_bundle(item, report, result, records, error)
    item.stash[_RESULT] = result
    _show(report, result, item)


def _skipped(item: pytest.Item, error: BaseException | None) -> str:
    """Return why an item was skipped, by us or by a fixture; empty when it was not."""
    raised = str(error) if isinstance(error, pytest.skip.Exception) else ""
    return item.stash.get(UNMET, "") or raised


def _explained_by(
    item: pytest.Item,
    declared: Check,
    records: tuple[Record[Any], ...],
    error: BaseException | None,
) -> tuple[str, ...]:
    """Return the red checks that explain why an item failed, and note it in the ledger."""
    ledger, family = item.config.stash.get(LEDGER, None), family_of(item)
    if ledger is None or not isinstance(error, (AssertionError, Inconclusive)):
        return ()
    _await_bases(item, declared, ledger)
    if isinstance(error, Inconclusive):
        return ledger.suspects(declared, family)
    nodes = item.config.stash.get(WHERE, {})
    failed = [record for record in records if record.mark.failed]
    roots = ledger.explaining(declared, family, {place_of(record, nodes) for record in failed})
    if declared.level is not Level.INFORMATIONAL:
        ledger.note(red(declared, family, records, nodes, roots))
    return roots


def _await_bases(item: pytest.Item, declared: Check, ledger: Ledger) -> None:
    """Wait until the other workers, too, have judged what a failed item rests on.

    Only for items that come before it: each worker takes its items in their order, so two of
    them never wait for each other.
    """
    if is_worker(item.config):
        below = ledger.under(declared, partly=True)
        before = itertools.takewhile(lambda other: other is not item, item.session.items)
        bases = [other.nodeid for other in before if id_of(other) in below]
        ledger.wait_for(bases, timeout=_BASES)


def _with_bundle(
    item: pytest.Item,
    report: pytest.TestReport,
    result: ItemResult,
    records: tuple[Record[Any], ...],
    error: BaseException | None,
) -> ItemResult:
    """Add it to the bundle where one was asked for; no trouble with that may change a verdict."""
    bundles = item.config.stash.get(BUNDLES, None)
    if bundles is None:
        return result
    try:
        path = bundles.add(result, records, error)
    except Exception as trouble:
        report.sections.append(("failure bundle", f"{type(trouble).__name__}: {trouble}"))
        return result
    return dataclasses.replace(result, outcome=dataclasses.replace(result.outcome, bundle=path))


def _out_of_order(item: pytest.Item, error: BaseException | None) -> str:
    """Say what is wrong with probes and targets, before a cluster is blamed for what they saw."""
    if not isinstance(error, (AssertionError, Inconclusive)):
        return ""
    used = getattr(item, "fixturenames", ())
    looks = item.config.stash.get(INSTRUMENTS, {}).items()
    return next(filter(None, (look() for name, look in looks if name in used)), "")


def _facts(declared: Check) -> CheckFacts:
    return CheckFacts(
        id=declared.id,
        requirement=declared.requirement,
        level=declared.level,
        references=declared.references,
    )


def _outcome(
    item: pytest.Item,
    declared: Check,
    report: pytest.TestReport,
    judgement: Judgement,
    records: tuple[Record[Any], ...],
    error: BaseException | None,
) -> Outcome:
    shown = kept(records, item.config.stash[SETTINGS].report.evidence)
    failed = judgement.verdict is Verdict.FAIL
    return Outcome(
        family=family_of(item),
        verdict=judgement.verdict,
        reason=str(redact(judgement.reason)),
        seconds=round(report.duration, 3),
        answers=len(records),
        digest=digest(records),
        evidence=tuple(build(Evidence, record.plain()) for record in shown),
        rests_on=judgement.rests_on,
        failure=failure(item, declared, error, records, judgement.remarks) if failed else None,
    )


def _failed(verdict: Verdict, records: tuple[Record[Any], ...]) -> tuple[Evidence, ...]:
    """Return the first questions whose answers failed a check, one of each path."""
    if verdict is not Verdict.FAIL:
        return ()
    paths = {r.path: r for r in reversed(records) if r.mark.failed}
    failed = [record for record in records if record in paths.values()]
    return tuple(build(Evidence, record.plain()) for record in failed[:_MOST_FAILED])


def _reachability(
    item: pytest.Item, declared: Check, records: tuple[Record[Any], ...]
) -> tuple[Reach, ...]:
    facts = item.config.stash.get(FACTS, None)
    if facts is None or not declared.matrix:
        return ()
    return reachability.pairs(records, (*facts.pods, *facts.peers))


def _show(report: pytest.TestReport, result: ItemResult, item: pytest.Item) -> None:
    """Make pytest's report say what was judged, in pytest's own words."""
    verdict, reason = result.outcome.verdict, result.outcome.reason
    waiver = _waiver(item, result.check.id)
    if verdict.is_red and waiver:
        _shape(report, "xfailed", outcome="skipped", wasxfail=f"waived: {waiver}")
        item.stash[_SHOWN] = True
    elif verdict in (Verdict.PASS, Verdict.INFORMATIONAL):
        _shape(report, "passed", outcome="passed", longrepr=None)
    elif verdict is Verdict.FAIL:
        line = one_line(result.outcome.failure.in_short) if result.outcome.failure else reason
        _shape(report, "failed", longrepr=explain(result), ipv6k8s_line=line)
    elif verdict in (Verdict.NOT_JUDGED, Verdict.NOT_APPLICABLE):
        # What has nothing to judge says so by an error, which would make the run a failed one.
        where = (str(item.path), item.reportinfo()[1], reason)
        category = "not judged" if verdict is Verdict.NOT_JUDGED else "skipped"
        _shape(report, category, outcome="skipped", longrepr=where)
    elif verdict is Verdict.INCONCLUSIVE and report.when == "call":
        # JUnit makes a failure of whatever goes wrong in the call phase: it is shown at teardown.
        _shape(report, "", outcome="passed", longrepr=None)
    elif verdict is Verdict.INCONCLUSIVE:
        _shape(report, "inconclusive", longrepr=reason)
        item.stash[_SHOWN] = True
    else:
        _shape(report, "skipped")


def _finish(item: pytest.Item, report: pytest.TestReport) -> None:
    result = item.stash.get(_RESULT, None)
    item.config.stash.setdefault(RECORDER, Recorder()).take()
    if LEDGER in item.config.stash:
        item.config.stash[LEDGER].end(item.nodeid)
    if result is None:
        return
    outcome = result.outcome
    if report.failed:
        broke = str(redact(str(report.longrepr)))[-500:]
        result = dataclasses.replace(result, outcome=dataclasses.replace(outcome, teardown=broke))
    elif outcome.verdict is Verdict.INCONCLUSIVE and not item.stash.get(_SHOWN, False):
        _shape(report, "inconclusive", outcome="failed", longrepr=outcome.reason)
    _shape(report, category_in(report) or "", ipv6k8s=plain(result))
    report.user_properties += [
        ("id", result.check.id),
        ("family", outcome.family.value if outcome.family else ""),
        ("verdict", outcome.verdict.value),
    ]


def _waiver(item: pytest.Item, id: str) -> str:
    waivers = item.config.stash[SETTINGS].waive
    return next((redact_text(waiver.reason) for waiver in waivers if waiver.id == id), "")


def explain(result: ItemResult) -> str:
    """Return a result in words: what is required, and of a failure what was expected, by whom,
    what was received instead, the likeliest causes, and what to do."""
    check, failure = result.check, result.outcome.failure
    if failure is None:
        return f"{result.name}\n  required  {check.requirement}\n  {result.outcome.reason}"
    actual, bundle = failure.actual, result.outcome.bundle
    more = [f"… and {len(actual) - 5} more"] if len(actual) > 5 else []
    causes = [f"{n}. {cause}" for n, cause in enumerate(failure.causes[:_MOST_CAUSES], 1)]
    pages = [f"ipv6k8s explain {id}" for id in (check.id,) if id in catalogue.functions()]
    lines = [
        result.name,
        f"  required  {check.requirement}",
        *_bullets("found", failure.facts),
        *_bullets("actual", [*actual[:5], *more]),
        *_bullets("died", dict.fromkeys(trace.died for trace in failure.traces)),
        f"  expected  {failure.expected}",
        *_bullets("causes", causes),
        *_bullets("fix", failure.fixes[:1]),
        f"  look      {failure.look}",
        *_bullets("more", pages),
        *_bullets("bundle", [bundle] if bundle else []),
    ]
    return "\n".join(lines)


def _bullets(name: str, values: Iterable[str]) -> list[str]:
    return [
        f"  {name if index == 0 else '':9} {one_line(value)}" for index, value in enumerate(values)
    ]
