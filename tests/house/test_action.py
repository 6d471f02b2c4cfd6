"""The shell of the GitHub action is clean, and what it and the workflows use is pinned."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.action import ACTION, STEPS
from tests.house.tree import ROOT

SHELL = [found for found in STEPS if "run" in found]
FILES = [ROOT / "action.yml", *sorted((ROOT / ".github" / "workflows").glob("*.yml"))]
PINNED = re.compile(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


@pytest.mark.parametrize("found", SHELL, ids=lambda found: found["name"])
def test_shellcheck_finds_nothing(found: dict[str, Any]) -> None:
    given = "".join(f': "${{{name}:=}}"\n' for name in found.get("env", {}))
    done = subprocess.run(
        [Path(sys.executable).with_name("shellcheck"), "--shell=bash", "-"],
        input=f"set -eo pipefail\n{given}{found['run']}",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_a_missing_go_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/bash", ROOT / "ci" / "github" / "actionlint"],
        env={"PATH": "/nowhere", "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Go, which is not on PATH: install Go 1.25 or newer" in done.stderr


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_actions_of_others_are_pinned_to_a_commit(file: Path) -> None:
    used = re.findall(r"uses: (.*)", file.read_text("utf-8"))
    assert used
    for name in used:
        assert name == "./" or PINNED.fullmatch(name), name


def test_the_page_links_the_matrix_and_has_every_input() -> None:
    page = (ROOT / "docs" / "github-actions.md").read_text("utf-8")
    assert "(../ci/github/matrix.yml)" in page
    for name in [*ACTION["inputs"], *ACTION["outputs"]]:
        assert f"| `{name}` |" in page
