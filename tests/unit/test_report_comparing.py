"""Two reports side by side, and one in another format."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ipv6k8s.cli import main as cli
from pytest_ipv6k8s.reports import save
from pytest_ipv6k8s.reports.comparing import Change, compare
from tests.documents import edited, report, result, sample

CHANGES = {
    ("pass", "fail"): Change.WORSE,
    ("pass", "inconclusive"): Change.WORSE,
    ("pass", "skip"): Change.WORSE,
    ("inconclusive", "fail"): Change.WORSE,
    ("skip", "inconclusive"): Change.WORSE,
    ("not applicable", "fail"): Change.WORSE,
    ("fail", "pass"): Change.BETTER,
    ("inconclusive", "pass"): Change.BETTER,
    ("skip", "pass"): Change.BETTER,
    ("fail", "inconclusive"): Change.OTHER,
    ("fail", "skip"): Change.OTHER,
    ("pass", "not applicable"): Change.OTHER,
    ("not applicable", "pass"): Change.OTHER,
}


@pytest.mark.parametrize(("before", "after"), CHANGES)
def test_a_change_is_this(before: str, after: str) -> None:
    (found,) = compare(report(result("A-01", before)), report(result("A-01", after)))

    assert found.change is CHANGES[before, after]
    assert found.is_red is (found.change is Change.WORSE)


def _diff(tmp_path: Path, one: list[str], other: list[str]) -> int:
    for name, words in (("one", one), ("other", other)):
        pairs = [word.partition(" ") for word in words]
        results = [result(id, verdict, "IPv6") for id, _, verdict in pairs]
        save(report(*results), tmp_path / f"{name}.json")
    return cli.main(["report", "diff", str(tmp_path / "one.json"), str(tmp_path / "other.json")])


def test_changes_are_told_worst_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = ["A-01 fail", "A-02 pass", "A-03 pass", "A-05 pass", "A-06 fail"]

    assert _diff(tmp_path, one, ["A-01 pass", "A-02 fail", "A-04 pass", "A-05 pass", "A-06 skip"])

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("before  Net 1.2, Example, v1.36.3, dual, flannel v0.26.7, ")
    assert lines[2:] == [
        "worse   A-02     pass → fail [IPv6]  It holds",
        "new     A-04     pass [IPv6]  It holds",
        "gone    A-03     pass [IPv6]  It holds",
        "better  A-01     fail → pass [IPv6]  It holds",
        "other   A-06     fail → skip [IPv6]  It holds",
    ]


def test_only_what_is_worse_or_new_and_red_is_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _diff(tmp_path, ["A-01 fail"], ["A-01 pass", "A-02 pass"]) == 0
    assert _diff(tmp_path, ["A-01 pass"], ["A-01 pass", "A-02 fail"]) == 1
    assert _diff(tmp_path, ["A-01 fail"], ["A-01 fail"]) == 0
    assert capsys.readouterr().out.endswith("Every check came to the same verdict.\n")


def test_another_suite_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(sample(), tmp_path / "a.json")
    save(edited(sample(), suite=sample().plain()["suite"] | {"version": "9"}), tmp_path / "b.json")

    cli.main(["report", "diff", str(tmp_path / "a.json"), str(tmp_path / "b.json")])

    assert "remark  different suites" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["html", "md", "yaml", "json"])
def test_a_report_is_rendered_to_a_file_or_to_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    save(sample(), tmp_path / "r.json")
    words = ["report", "render", str(tmp_path / "r.json"), "--to", name]

    assert cli.main(words) == 0
    assert cli.main([*words, "--output", str(tmp_path / "out")]) == 0

    text = (tmp_path / "out").read_text("utf-8")
    assert "ADDR-16" in text
    assert capsys.readouterr().out == text


def test_a_rendering_may_have_pseudonyms(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(sample(), tmp_path / "r.json")

    cli.main(["report", "render", str(tmp_path / "r.json"), "--to", "md", "--redact"])

    text = capsys.readouterr().out
    assert "fd00::2" not in text
    assert "ipv6-ula-" in text


def test_a_rendering_that_cannot_be_written_is_exit_code_4(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(sample(), tmp_path / "r.json")
    gone = str(tmp_path / "gone" / "r.md")

    words = ["report", "render", str(tmp_path / "r.json"), "--to", "md", "--output", gone]
    assert cli.main(words) == 4
    assert "cannot be written: No such file or directory" in capsys.readouterr().err
