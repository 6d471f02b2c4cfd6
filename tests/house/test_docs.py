"""What the documents say is so."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from pytest_ipv6k8s.settings import OPTIONS
from tests.house.tree import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "ci").rglob("*.md")])
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
FORBIDDEN = ("../" + "shared", "/work" + "/", "sub" + "agent", "TO" + "DO", "FIX" + "ME")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_options_page_has_every_option() -> None:
    text = (ROOT / "docs" / "options.md").read_text("utf-8")
    rows = [
        f"| `{option.flag}{f' {option.metavar}' if option.metavar else ''}` | {option.help} |"
        for option in OPTIONS
    ]
    assert [line for line in text.splitlines() if line.startswith("| `--")] == rows


def test_options_that_are_named_exist() -> None:
    known = {option.flag for option in OPTIONS}
    for page in PAGES:
        named = set(re.findall(r"--ipv6k8s-[a-z0-9-]*[a-z0-9]", page.read_text("utf-8")))
        assert named <= known, f"{page.name} names {named - known}"


def test_make_targets_that_are_named_exist() -> None:
    for page in PAGES:
        for target in re.findall(r"`?make ([a-z]+)\b`", page.read_text("utf-8")):
            assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), f"{page.name}: make {target}"


def test_commands_that_are_named_exist() -> None:
    from pytest_ipv6k8s.cli import main as cli

    for page in PAGES:
        for name in re.findall(r"`ipv6k8s ([a-z]+)\b", page.read_text("utf-8")):
            with pytest.raises(SystemExit) as left:
                cli.main([name, "--help"])
            assert left.value.code == 0, f"{page.name} names ipv6k8s {name}"


def test_the_project_speaks_of_itself_alone() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        file = ROOT / name
        if not file.is_file():
            continue
        text = file.read_text("utf-8", "replace")
        assert not [word for word in FORBIDDEN if word in text], name
