"""From records to a report, and from a report to a file that is whole or not there."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pytest_ipv6k8s import reports
from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.checks import Level
from pytest_ipv6k8s.errors import ConfigError, HostProblem
from pytest_ipv6k8s.reports import Report, save
from pytest_ipv6k8s.reports.folding import areas, count, fold_items
from pytest_ipv6k8s.results import Evidence, ItemResult
from pytest_ipv6k8s.verdicts import Result, Verdict
from tests.documents import BROKEN, OK
from tests.documents import report as _report
from tests.documents import result as _result


def test_checks_are_sorted_by_id_and_their_items_by_family() -> None:
    folded = fold_items(
        [_result("B-01", "pass"), _result("A-01", "pass", "IPv6"), _result("A-01", "pass", "IPv4")],
        {},
    )

    assert [check.id for check in folded] == ["A-01", "B-01"]
    assert [item.family for item in folded[0].items] == [Family.V4, Family.V6]


def test_a_check_says_once_what_all_its_items_say() -> None:
    (check,) = fold_items([_result("A-01", "pass", family) for family in ("IPv4", "IPv6")], {})

    assert (check.requirement, check.references) == ("It holds", ("RFC 8200",))
    assert len(check.items) == 2


@pytest.mark.parametrize("worst", ["fail", "inconclusive"])
def test_a_check_has_the_worst_verdict_and_its_reasons_only(worst: str) -> None:
    (check,) = fold_items(
        [
            _result("A-01", worst, "IPv6", reason="lost"),
            _result("A-01", "skip", "", reason="needs two nodes"),
            _result("A-01", worst, "IPv4", reason="late"),
            _result("A-01", worst, "IPv4", reason="late"),
        ],
        {},
    )

    assert (check.verdict.value, check.reason) == (worst, "late; lost")


def test_only_a_red_check_is_waived() -> None:
    results = [_result("A-01", "fail"), _result("B-01", "pass"), _result("C-01", "inconclusive")]

    folded = fold_items(results, {id: f"see {id}" for id in ("A-01", "B-01", "C-01", "D-01")})

    assert [check.waived for check in folded] == ["see A-01", "", "see C-01"]


RESULTS: dict[str, tuple[list[ItemResult], dict[str, Any], str]] = {
    "all pass": ([_result("A-01", "pass")], {}, "success"),
    "nothing ran": ([], {}, "success"),
    "a failure": ([_result("A-01", "pass"), _result("B-01", "fail")], {}, "failure"),
    "an extended failure": ([_result("A-01", "fail", level=Level.EXTENDED)], {}, "failure"),
    "a waived failure": ([_result("A-01", "fail")], {"waivers": {"A-01": "#7"}}, "partial"),
    "another one waived": ([_result("A-01", "fail")], {"waivers": {"A-02": "#7"}}, "failure"),
    "unknown": ([_result("A-01", "inconclusive")], {}, "partial"),
    "a core skip": ([_result("A-01", "skip")], {}, "partial"),
    "an extended skip": ([_result("A-01", "skip", level=Level.EXTENDED)], {}, "success"),
    "not applicable": ([_result("A-01", "not applicable")], {}, "success"),
    "informational": ([_result("A-01", "informational")], {}, "success"),
    "broken off": ([_result("A-01", "pass")], {"complete": False}, "partial"),
    "broken off after a failure": ([_result("A-01", "fail")], {"complete": False}, "failure"),
    "harness broken": ([_result("A-01", "pass")], {"harness": (OK, BROKEN)}, "failure"),
    "failure and gap": ([_result("A-01", "fail"), _result("B-01", "skip")], {}, "failure"),
}


@pytest.mark.parametrize("case", RESULTS)
def test_the_result_says_the_worst(case: str) -> None:
    results, more, result = RESULTS[case]

    assert _report(*results, **more).result is Result(result)


def test_the_summary_counts_checks_and_names_every_verdict() -> None:
    checks = _report(
        *[_result("A-01", "pass", family) for family in ("IPv4", "IPv6")],
        _result("A-02", "fail"),
        _result("B-01", "pass"),
    ).checks

    zeros = dict.fromkeys(Verdict, 0)
    assert count(checks) == {**zeros, Verdict.PASS: 2, Verdict.FAIL: 1}
    assert areas(checks) == {
        "A": {**zeros, Verdict.PASS: 1, Verdict.FAIL: 1},
        "B": {**zeros, Verdict.PASS: 1},
    }


def test_one_area_does_not_count_for_another_with_a_longer_name() -> None:
    checks = _report(_result("SVC-01", "pass"), _result("SVC6-01", "pass")).checks

    assert areas(checks)["SVC"][Verdict.PASS] == 1


def test_harness_facts_are_sorted_by_id() -> None:
    facts = _report(harness=(BROKEN, OK)).harness

    assert [fact.id for fact in facts] == ["META-02", "META-06"]


@pytest.mark.parametrize("suffix", [".json", ".yaml", ".yml"])
def test_two_writes_of_the_same_results_give_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    results = [
        _result("B-01", "pass"),
        _result("A-01", "fail", "IPv6"),
        _result("A-01", "pass", ""),
    ]
    one, other = tmp_path / f"one{suffix}", tmp_path / f"other{suffix}"

    save(_report(*results), one)
    save(_report(*reversed(results)), other)

    assert one.read_bytes() == other.read_bytes()
    assert {file.name for file in tmp_path.iterdir()} == {one.name, other.name}


def test_yaml_and_json_hold_the_same_document(tmp_path: Path) -> None:
    kept = Evidence(source="p", request={"a": None}, answer=["é"], seconds=0.0)
    report = _report(_result("A-01", "fail", "IPv6", reason="é → b: no", evidence=(kept,)))

    save(report, tmp_path / "r.yaml")
    save(report, tmp_path / "r.json")

    loaded = yaml.safe_load((tmp_path / "r.yaml").read_text(encoding="utf-8"))
    assert loaded == json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert loaded == report.plain()
    assert list(loaded)[:5] == ["apiVersion", "kind", "date", "suite", "implementation"]


def _reasons(report: Report) -> list[str]:
    found = []
    for name, load in (("r.yaml", yaml.safe_load), ("r.json", json.loads)):
        out = io.StringIO()
        reports.writer_for(Path(name)).write(report, out)
        found.append(load(out.getvalue())["checks"][0]["reason"])
    return found


@given(st.text(st.characters(exclude_characters="\x85", exclude_categories=["Cs"]), max_size=80))
def test_any_reason_survives_both_formats(reason: str) -> None:
    report = _report(_result("A-01", "fail", reason=reason))

    assert _reasons(report) == [reason, reason]


def test_a_next_line_character_survives_both_formats() -> None:
    assert _reasons(_report(_result("A-01", "fail", reason="a\x85b"))) == ["a\x85b"] * 2


@pytest.mark.parametrize("suffix", [".json", ".yaml"])
def test_a_full_disk_leaves_the_earlier_report_and_no_ruins(tmp_path: Path, suffix: str) -> None:
    path, unfinished = tmp_path / f"r{suffix}", tmp_path / f"r{suffix}.tmp"
    path.write_text("earlier")
    unfinished.symlink_to("/dev/full")

    with pytest.raises(HostProblem, match="cannot be written: No space left") as caught:
        save(_report(_result("A-01", "pass")), path)

    assert caught.value.remedy == "free some space or give another path"
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(HostProblem, match="No such file or directory"):
        save(_report(), tmp_path / "gone" / "r.json")


@pytest.mark.parametrize("suffix", [".json", ".yaml", ".yml", ".md", ".html"])
def test_a_format_is_found_by_its_suffix(suffix: str) -> None:
    assert suffix in reports.writer_for(Path(f"x{suffix}")).SUFFIXES


def test_an_unknown_suffix_names_those_that_there_are() -> None:
    with pytest.raises(
        ConfigError, match=r"suffix of x\.txt\. Use one of: .*\.json, \.md, \.yaml, \.yml"
    ):
        reports.writer_for(Path("x.txt"))


@pytest.mark.parametrize(("name", "answer"), [("r.txt", 1), ("r.json", object())])
def test_whatever_goes_wrong_no_unfinished_file_stays(
    tmp_path: Path, name: str, answer: object
) -> None:
    kept = Evidence(source="p", request={}, answer=answer, seconds=0.0)
    with pytest.raises((ConfigError, TypeError)):
        save(_report(_result("A-01", "pass", evidence=(kept,), digest="0")), tmp_path / name)

    assert list(tmp_path.iterdir()) == []
