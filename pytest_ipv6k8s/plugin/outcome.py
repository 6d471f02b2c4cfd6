"""From three phases of an item to one verdict and one record."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import pytest

from pytest_ipv6k8s.checks import Check
from pytest_ipv6k8s.evidence import Record, Recorder, digest, kept
from pytest_ipv6k8s.expectations import Unmet
from pytest_ipv6k8s.masking import redact
from pytest_ipv6k8s.plugin import reachability
from pytest_ipv6k8s.plugin.collection import NOT_APPLICABLE, UNMET, declared_by
from pytest_ipv6k8s.plugin.state import FACTS, SETTINGS
from pytest_ipv6k8s.verdicts import Judgement, Phase, Verdict, judge

RECORDER = pytest.StashKey[Recorder]()
INSTRUMENTS = pytest.StashKey[dict[str, Callable[[], str]]]()
BUNDLE = pytest.StashKey[Callable[[dict[str, Any], tuple[Record[Any], ...], Any], str]]()
_RECORD = pytest.StashKey[dict[str, Any]]()
_TOLD = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Judge a check when its body has ended, or never began; write the record at teardown."""
    report = yield
    declared = declared_by(item)
    if declared is None:
        return report
    report.ipv6k8s_category = ""  # type: ignore[attr-defined]
    if report.when == "teardown":
        _finish(item, report)
    elif report.when == "call" or not report.passed:
        _decide(item, declared, report, call)
    return report


def _decide(
    item: pytest.Item, declared: Check, report: pytest.TestReport, call: pytest.CallInfo[None]
) -> None:
    records = item.config.stash.setdefault(RECORDER, Recorder()).take()
    error = call.excinfo.value if call.excinfo else None
    skipped = item.stash.get(UNMET, "")
    if isinstance(error, pytest.skip.Exception) and not skipped:
        skipped = str(error)
    judgement = judge(
        level=declared.level,
        answers=len(records),
        error=error,
        phase=Phase(report.when),
        not_applicable=item.stash.get(NOT_APPLICABLE, ""),
        skipped=skipped,
        out_of_order=_out_of_order(item, error),
    )
    record = _record(item, declared, report, judgement, records, error)
    item.stash[_RECORD] = record
    if judgement.verdict.is_red and not _waiver(item, declared.id):
        _bundle(item, report, records, error)
    _shape(report, judgement, item)


def _bundle(
    item: pytest.Item,
    report: pytest.TestReport,
    records: tuple[Record[Any], ...],
    error: BaseException | None,
) -> None:
    """Leave a bundle where they were asked for; no trouble with it may change a verdict."""
    write = item.config.stash.get(BUNDLE, None)
    if write is None:
        return
    record = item.stash[_RECORD]
    try:
        record["bundle"] = write(record, records, error)
    except Exception as trouble:
        report.sections.append(("failure bundle", f"{type(trouble).__name__}: {trouble}"))


def _out_of_order(item: pytest.Item, error: BaseException | None) -> str:
    """Say what is wrong with probes and targets, before a cluster is blamed for what they saw."""
    if not isinstance(error, AssertionError):
        return ""
    used = getattr(item, "fixturenames", ())
    looks = item.config.stash.get(INSTRUMENTS, {}).items()
    return next(filter(None, (look() for name, look in looks if name in used)), "")


def _record(
    item: pytest.Item,
    declared: Check,
    report: pytest.TestReport,
    judgement: Judgement,
    records: tuple[Record[Any], ...],
    error: BaseException | None,
) -> dict[str, Any]:
    family = getattr(item, "callspec", None) and item.callspec.params.get("family")  # type: ignore[attr-defined]
    record: dict[str, Any] = {
        "check": {
            "id": declared.id,
            "requirement": declared.requirement,
            "level": declared.level.value,
            "references": list(declared.references),
        },
        "family": family.value if family else "",
        "verdict": judgement.verdict.value,
        "reason": str(redact(judgement.reason)),
        "seconds": round(report.duration, 3),
        "answers": len(records),
        "digest": digest(records),
        "evidence": [r.plain() for r in kept(records, item.config.stash[SETTINGS].evidence)],
    }
    if declared.matrix and FACTS in item.config.stash:
        record["cells"] = reachability.cells(records, item.config.stash[FACTS].pods)
    if judgement.verdict is Verdict.FAIL:
        record["failure"] = {
            "expected": error.expected if isinstance(error, Unmet) else declared.requirement,
            "seen": list(error.actual) if isinstance(error, Unmet) else [str(redact(str(error)))],
            "paths": list(error.paths) if isinstance(error, Unmet) else [],
            "causes": list(declared.causes),
            "look": declared.look,
        }
    return record


def _shape(report: pytest.TestReport, judgement: Judgement, item: pytest.Item) -> None:
    """Make pytest's report say what was judged, in pytest's own words."""
    verdict, record = judgement.verdict, item.stash[_RECORD]
    waiver = _waiver(item, record["check"]["id"])
    if verdict.is_red and waiver:
        report.outcome, report.wasxfail = "skipped", f"waived: {waiver}"
        report.ipv6k8s_category = "xfailed"  # type: ignore[attr-defined]
        item.stash[_TOLD] = True
    elif verdict in (Verdict.PASS, Verdict.INFORMATIONAL):
        report.outcome, report.longrepr = "passed", None
        report.ipv6k8s_category = "passed"  # type: ignore[attr-defined]
    elif verdict is Verdict.FAIL:
        report.longrepr = explain(record)
        report.ipv6k8s_category = "failed"  # type: ignore[attr-defined]
    elif verdict is Verdict.INCONCLUSIVE:
        _shape_inconclusive(item, report, judgement)
    else:
        report.ipv6k8s_category = "skipped"  # type: ignore[attr-defined]


def _shape_inconclusive(item: pytest.Item, report: pytest.TestReport, judgement: Judgement) -> None:
    """An inconclusive body is no failure: pytest calls it an error, and so does JUnit.

    JUnit makes a failure of whatever goes wrong in the call phase, so there it is told at
    teardown instead.
    """
    if report.when == "call":
        report.outcome, report.longrepr = "passed", None
    else:
        report.longrepr = judgement.reason
        report.ipv6k8s_category = "inconclusive"  # type: ignore[attr-defined]
        item.stash[_TOLD] = True


def _finish(item: pytest.Item, report: pytest.TestReport) -> None:
    record = item.stash.get(_RECORD, None)
    item.config.stash.setdefault(RECORDER, Recorder()).take()
    if record is None:
        return
    if report.failed:
        record = {**record, "teardown": str(redact(str(report.longrepr)))[-500:]}
    elif record["verdict"] == "inconclusive" and not item.stash.get(_TOLD, False):
        report.outcome, report.longrepr = "failed", record["reason"]
        report.ipv6k8s_category = "inconclusive"  # type: ignore[attr-defined]
    report.ipv6k8s = record  # type: ignore[attr-defined]
    report.user_properties += [
        ("id", record["check"]["id"]),
        ("family", record["family"]),
        ("verdict", record["verdict"]),
    ]


def _waiver(item: pytest.Item, id: str) -> str:
    waivers = item.config.stash[SETTINGS].waive
    return next((waiver.reason for waiver in waivers if waiver.id == id), "")


def explain(record: dict[str, Any]) -> str:
    """Return a failure in words: what is required, by whom, what was seen, and what to do."""
    check, failure = record["check"], record["failure"]
    family = f" [{record['family']}]" if record["family"] else ""
    seen = failure["seen"]
    more = [f"… and {len(seen) - 5} more"] if len(seen) > 5 else []
    lines = [
        f"{check['id']}{family}",
        f"  required  {check['requirement']}",
        f"  source    {'; '.join(check['references'])}",
        f"  expected  {failure['expected']}",
        *_bullets("seen", [*seen[:5], *more]),
        *_bullets("path", failure["paths"][:3]),
        *_bullets("causes", [f"{n}. {cause}" for n, cause in enumerate(failure["causes"], 1)]),
        f"  look      {failure['look']}",
        *_bullets("bundle", [record["bundle"]] if "bundle" in record else []),
    ]
    return "\n".join(lines)


def _bullets(name: str, values: list[str]) -> list[str]:
    return [f"  {name if index == 0 else '':9} {value}" for index, value in enumerate(values)]
