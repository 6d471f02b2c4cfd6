"""The program kind on this machine: whether it is there, and new enough."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.providers import kind
from pytest_ipv6k8s.timeouts import Timeouts


@pytest.mark.parametrize("version", [(0, 24), (0, 24, 0), (0, 30, 1), (1, 0, 0)])
def test_newer_kinds_are_fine(version: tuple[int, ...]) -> None:
    assert kind.program_problems(version) == []


@pytest.mark.parametrize(
    ("version", "text", "remedy"),
    [
        (None, "kind is not on PATH", "https://kind.sigs.k8s.io"),
        ((0, 23, 9), "kind 0.23.9 is too old", "0.24 or newer"),
        ((0,), "kind 0 is too old", "0.24 or newer"),
    ],
)
def test_no_kind_or_an_old_one_is_told_with_its_remedy(
    version: tuple[int, ...] | None, text: str, remedy: str
) -> None:
    (problem,) = kind.program_problems(version)

    assert problem.text == text
    assert problem.remedy.endswith(remedy)


@pytest.mark.parametrize(
    ("output", "version"), [("kind v0.31.0 go1.25 linux/amd64", (0, 31, 0)), ("odd", (0,))]
)
def test_the_version_of_kind_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str, version: tuple[int, ...]
) -> None:
    (tmp_path / "kind").write_text(f"#!/bin/sh\necho {output}\n")
    (tmp_path / "kind").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert kind.installed_version(Timeouts()) == version


def test_a_machine_without_kind_has_no_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert kind.installed_version(Timeouts()) is None
