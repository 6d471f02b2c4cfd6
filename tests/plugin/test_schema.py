"""The report keeps to the schema that is shipped, and the schema is strict."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from importlib import resources
from typing import Any

import jsonschema
import pytest

from pytest_ipv6k8s.reports import Report
from pytest_ipv6k8s.reports.checking import contradictions

SCHEMA = json.loads(resources.files("pytest_ipv6k8s").joinpath("reports/schema.json").read_text())
Document = dict[str, Any]


@pytest.fixture
def report(project: pytest.Pytester) -> Document:
    """The report of a run with every outcome."""
    project.runpytest_subprocess(
        "test_checks.py",
        "--ipv6k8s-provider=kind",
        "--ipv6k8s-report=out.json",
        "--ipv6k8s-waive=T-02=known",
    )
    found: Document = json.loads((project.path / "out.json").read_text())
    return found


def test_a_report_keeps_to_the_schema(report: Document) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)

    jsonschema.validate(report, SCHEMA)


def test_a_report_is_consistent(report: Document) -> None:
    assert contradictions(Report.from_plain(report), {}) == []


def test_a_report_is_read_as_it_was_written(report: Document) -> None:
    assert Report.from_plain(report).plain() == report


def test_totals_agree(report: Document) -> None:
    verdicts = [check["verdict"] for check in report["checks"]]

    for verdict, count in report["summary"].items():
        assert verdicts.count(verdict) == count
        assert sum(area[verdict] for area in report["areas"].values()) == count


SPOILT: dict[str, Callable[[Document], object]] = {
    "unknown key": lambda r: r.update(surprise=1),
    "missing key": lambda r: r.pop("harness"),
    "unknown verdict": lambda r: r["checks"][0].update(verdict="great"),
    "unknown result": lambda r: r.update(result="fine"),
    "no items": lambda r: r["checks"][0].update(items=[]),
    "short digest": lambda r: r["checks"][0]["items"][0].update(digest="abc"),
    "negative count": lambda r: r["summary"].update({"pass": -1}),
}


def test_a_spoilt_report_does_not_keep_to_it(report: Document) -> None:
    for name, spoil in SPOILT.items():
        spoilt = copy.deepcopy(report)
        spoil(spoilt)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(spoilt, SCHEMA)
            pytest.fail(name)
