"""A report format is one file in the folder of formats, and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_ipv6k8s.cli import main as cli
from pytest_ipv6k8s.reports import formats, known_suffixes, save, writer_for
from pytest_ipv6k8s.settings import OPTIONS
from tests.documents import sample

CSV = '''
"""Verdicts, one a line."""

SUFFIXES = (".csv",)


def write(report, out):
    """Write ids and verdicts."""
    out.writelines(f"{check.id},{check.verdict.value}\\n" for check in report.checks)
'''


@pytest.fixture
def csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A format that somebody put beside ours."""
    folder = tmp_path / "formats"
    folder.mkdir()
    (folder / "csv_table.py").write_text(CSV)
    monkeypatch.setattr(formats, "__path__", [*formats.__path__, str(folder)])
    yield
    sys.modules.pop("pytest_ipv6k8s.reports.formats.csv_table", None)


@pytest.mark.usefixtures("csv")
def test_a_run_writes_it(tmp_path: Path) -> None:
    (option,) = [option for option in OPTIONS if option.name == "report"]
    path = option.parse(str(tmp_path / "x.csv"))

    save(sample(), path, writer_for(path))

    assert path.read_text().splitlines()[:2] == ["ADDR-01,pass", "ADDR-15,pass"]


@pytest.mark.usefixtures("csv")
def test_a_report_is_rendered_to_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(sample(), tmp_path / "r.json")

    assert cli.main(["report", "render", str(tmp_path / "r.json"), "--to", "csv"]) == 0

    assert "ADDR-16,fail\n" in capsys.readouterr().out


@pytest.mark.usefixtures("csv")
def test_it_is_among_those_that_are_named() -> None:
    assert known_suffixes() == (".csv", ".html", ".json", ".md", ".yaml", ".yml")
