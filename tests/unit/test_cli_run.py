"""The command ``ipv6k8s run``: which of pytest's ini files count."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_ipv6k8s.cli import main as cli
from pytest_ipv6k8s.cli.run import parted


def _handed(monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[str]:
    handed: list[str] = []

    def become(program: str, command: list[str]) -> None:
        handed.extend(command[3:])
        raise KeyboardInterrupt  # nothing comes after it

    monkeypatch.chdir(folder)
    monkeypatch.setattr("os.execv", become)
    cli.main(["run"])
    return handed


@pytest.mark.parametrize("old", ["--ipv6k8s-outside", "--ipv6k8s-outside-image"])
def test_an_old_name_reaches_pytest_with_its_value(old: str) -> None:
    assert parted(["EGR-01", old, "hermetic"]) == (["EGR-01"], [f"{old}=hermetic"])


def test_the_ini_file_of_a_folder_above_is_of_another_project(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --bogus\n")
    own = tmp_path / "own"
    own.mkdir()

    above = _handed(monkeypatch, own)
    (own / "pytest.ini").touch()
    beside = _handed(monkeypatch, own)

    assert above[above.index("-c") + 1] == os.devnull
    assert "-c" not in beside
