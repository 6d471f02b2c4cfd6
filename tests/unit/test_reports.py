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
from pytest_ipv6k8s.errors import ConfigError, HostProblem
from pytest_ipv6k8s.reports import Report, fold_records, save
from pytest_ipv6k8s.reports.model import areas, count
from pytest_ipv6k8s.verdicts import Verdict
from tests.documents import BROKEN, HOLDS
from tests.documents import record as _record
from tests.documents import report as _report


def test_checks_are_sorted_by_id_and_their_items_by_family() -> None:
    folded = fold_records(
        [_record("B-01", "pass"), _record("A-01", "pass", "IPv6"), _record("A-01", "pass", "IPv4")],
        {},
    )

    assert [check["id"] for check in folded] == ["A-01", "B-01"]
    assert [item["family"] for item in folded[0]["items"]] == ["IPv4", "IPv6"]


def test_a_check_says_once_what_all_its_items_say() -> None:
    (check,) = fold_records([_record("A-01", "pass", family) for family in ("IPv4", "IPv6")], {})

    assert (check["requirement"], check["references"]) == ("It holds", ["RFC 8200"])
    assert all("check" not in item for item in check["items"])


@pytest.mark.parametrize("worst", ["fail", "inconclusive"])
def test_a_check_has_the_worst_verdict_and_its_reasons_only(worst: str) -> None:
    (check,) = fold_records(
        [
            _record("A-01", worst, "IPv6", reason="lost"),
            _record("A-01", "skip", "", reason="needs two nodes"),
            _record("A-01", worst, "IPv4", reason="late"),
            _record("A-01", worst, "x", reason="late"),
        ],
        {},
    )

    assert (check["verdict"], check["reason"]) == (worst, "late; lost")


def test_only_a_red_check_is_waived() -> None:
    records = [_record("A-01", "fail"), _record("B-01", "pass"), _record("C-01", "inconclusive")]

    folded = fold_records(records, {id: f"see {id}" for id in ("A-01", "B-01", "C-01", "D-01")})

    assert [check.get("waived") for check in folded] == ["see A-01", None, "see C-01"]


RESULTS: dict[str, tuple[list[dict[str, Any]], dict[str, Any], str]] = {
    "all pass": ([_record("A-01", "pass")], {}, "success"),
    "nothing ran": ([], {}, "success"),
    "a failure": ([_record("A-01", "pass"), _record("B-01", "fail")], {}, "failure"),
    "an extended failure": ([_record("A-01", "fail", level="extended")], {}, "failure"),
    "a waived failure": ([_record("A-01", "fail")], {"waivers": {"A-01": "#7"}}, "partial"),
    "another one waived": ([_record("A-01", "fail")], {"waivers": {"A-02": "#7"}}, "failure"),
    "unknown": ([_record("A-01", "inconclusive")], {}, "partial"),
    "a core skip": ([_record("A-01", "skip")], {}, "partial"),
    "an extended skip": ([_record("A-01", "skip", level="extended")], {}, "success"),
    "not applicable": ([_record("A-01", "not applicable")], {}, "success"),
    "informational": ([_record("A-01", "informational")], {}, "success"),
    "broken off": ([_record("A-01", "pass")], {"complete": False}, "partial"),
    "broken off after a failure": ([_record("A-01", "fail")], {"complete": False}, "failure"),
    "harness broken": ([_record("A-01", "pass")], {"harness": (HOLDS, BROKEN)}, "failure"),
    "failure and gap": ([_record("A-01", "fail"), _record("B-01", "skip")], {}, "failure"),
}


@pytest.mark.parametrize("case", RESULTS)
def test_the_result_says_the_worst(case: str) -> None:
    records, more, result = RESULTS[case]

    assert _report(*records, **more).result == result


def test_the_summary_counts_checks_and_names_every_verdict() -> None:
    checks = _report(
        *[_record("A-01", "pass", family) for family in ("IPv4", "IPv6")],
        _record("A-02", "fail"),
        _record("B-01", "pass"),
    ).checks

    zeros = {verdict.value: 0 for verdict in Verdict}
    assert count(checks) == {**zeros, "pass": 2, "fail": 1}
    assert areas(checks) == {"A": {**zeros, "pass": 1, "fail": 1}, "B": {**zeros, "pass": 1}}


def test_one_area_does_not_count_for_another_with_a_longer_name() -> None:
    checks = _report(_record("SVC-01", "pass"), _record("SVC6-01", "pass")).checks

    assert areas(checks)["SVC"]["pass"] == 1


def test_harness_facts_are_sorted_by_id() -> None:
    facts = _report(harness=(BROKEN, HOLDS)).plain()["harness"]

    assert [fact["id"] for fact in facts] == ["META-02", "META-06"]


@pytest.mark.parametrize("suffix", [".json", ".yaml", ".yml"])
def test_two_writes_of_the_same_records_give_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    records = [
        _record("B-01", "pass"),
        _record("A-01", "fail", "IPv6"),
        _record("A-01", "pass", ""),
    ]
    one, other = tmp_path / f"one{suffix}", tmp_path / f"other{suffix}"

    save(_report(*records).plain(), one)
    save(_report(*reversed(records)).plain(), other)

    assert one.read_bytes() == other.read_bytes()
    assert {file.name for file in tmp_path.iterdir()} == {one.name, other.name}


def test_yaml_and_json_hold_the_same_document(tmp_path: Path) -> None:
    report = _report(_record("A-01", "fail", "IPv6", reason="é → b: no", evidence=[{"a": None}]))

    save(report.plain(), tmp_path / "r.yaml")
    save(report.plain(), tmp_path / "r.json")

    loaded = yaml.safe_load((tmp_path / "r.yaml").read_text(encoding="utf-8"))
    assert loaded == json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert loaded == report.plain()
    assert list(loaded)[:5] == ["apiVersion", "kind", "date", "suite", "implementation"]


def _reasons(report: Report) -> list[str]:
    found = []
    for name, load in (("r.yaml", yaml.safe_load), ("r.json", json.loads)):
        out = io.StringIO()
        reports.writer_for(Path(name)).write(report.plain(), out)
        found.append(load(out.getvalue())["checks"][0]["reason"])
    return found


@given(st.text(st.characters(exclude_characters="\x85", exclude_categories=["Cs"]), max_size=80))
def test_any_reason_survives_both_formats(reason: str) -> None:
    report = _report(_record("A-01", "fail", reason=reason))

    assert _reasons(report) == [reason, reason]


def test_a_next_line_character_survives_both_formats() -> None:
    assert _reasons(_report(_record("A-01", "fail", reason="a\x85b"))) == ["a\x85b"] * 2


@pytest.mark.parametrize("suffix", [".json", ".yaml"])
def test_a_full_disk_leaves_the_earlier_report_and_no_ruins(tmp_path: Path, suffix: str) -> None:
    path, unfinished = tmp_path / f"r{suffix}", tmp_path / f"r{suffix}.tmp"
    path.write_text("earlier")
    unfinished.symlink_to("/dev/full")

    with pytest.raises(HostProblem, match="cannot be written: No space left") as caught:
        save(_report(_record("A-01", "pass")).plain(), path)

    assert caught.value.remedy == "free some space or give another path"
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(HostProblem, match="No such file or directory"):
        save(_report().plain(), tmp_path / "gone" / "r.json")


@pytest.mark.parametrize("suffix", [".json", ".yaml", ".yml", ".md", ".html"])
def test_a_format_is_found_by_its_suffix(suffix: str) -> None:
    assert suffix in reports.writer_for(Path(f"x{suffix}")).SUFFIXES


def test_an_unknown_suffix_names_those_that_there_are() -> None:
    with pytest.raises(
        ConfigError, match=r"suffix of x\.txt\. Use one of: .*\.json, \.md, \.yaml, \.yml"
    ):
        reports.writer_for(Path("x.txt"))


@pytest.mark.parametrize(("name", "fact"), [("r.txt", 1), ("r.json", object())])
def test_whatever_goes_wrong_no_unfinished_file_stays(
    tmp_path: Path, name: str, fact: object
) -> None:
    with pytest.raises((ConfigError, TypeError)):
        save(_report(cluster={"fact": fact}).plain(), tmp_path / name)

    assert list(tmp_path.iterdir()) == []
