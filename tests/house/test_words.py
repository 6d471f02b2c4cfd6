"""What documents name exists, down to the lines in code blocks, and some words are not ours."""

from __future__ import annotations

import argparse
import re
import subprocess

import pytest

from pytest_ipv6k8s.cli import main as cli
from tests.house.test_docs import MAKEFILE, PAGES
from tests.house.tree import ROOT

NOT_OURS = (
    *("helper" + "-", "sub" + "agent", ".." + "/shared", "/wo" + "rk/", "this " + "session"),
    *("clau" + "de", "anth" + "ropic", "chat" + "gpt", "is" + "sue 3"),
    *("TO" + "DO", "FIX" + "ME", "XX" + "X"),
)
OTHERS_WORDS = {"LICENSE"}
COMMAND_LINE = r"(?:^|`|\n)(?:\S*/)?{program} ([a-z][a-z-]*)"


def _named(program: str) -> set[tuple[str, str]]:
    """Return page and word after a program's name, at the start of a line or of a quotation."""
    pattern = re.compile(COMMAND_LINE.format(program=program))
    return {
        (str(page.relative_to(ROOT)), word)
        for page in PAGES
        for word in pattern.findall(page.read_text("utf-8"))
    }


def _subcommands() -> set[str]:
    actions = cli._parser()._actions
    choices = [a.choices for a in actions if isinstance(a, argparse._SubParsersAction)]
    return set(choices[0])


def test_make_targets_in_code_blocks_exist() -> None:
    named = _named("make")
    assert named
    for page, target in named:
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), f"{page}: make {target}"


def test_commands_in_code_blocks_exist() -> None:
    for page, name in _named("ipv6k8s"):
        assert name in _subcommands(), f"{page} names ipv6k8s {name}"


def test_make_help_lists_every_phony_target() -> None:
    phony = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    targets = [name for line in phony for name in line.split()]
    told = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    listed = [line.split()[0] for line in told.stdout.splitlines()]
    assert sorted(listed) == sorted(targets)


def test_pages_are_reached_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for file in (ROOT / "docs").glob("*.md"):
        page = str(file.relative_to(ROOT))
        assert f"]({page})" in readme, f"README.md does not lead to {page}"


@pytest.mark.parametrize("word", NOT_OURS)
def test_a_word_that_is_not_ours_is_nowhere(word: str) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in sorted(set(listed.stdout.splitlines()) - OTHERS_WORDS):
        file = ROOT / name
        if file.is_file():
            text = f"{name}\n{file.read_text('utf-8', 'replace')}".lower()
            assert word.lower() not in text, name
