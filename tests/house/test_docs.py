"""What the documents say is so: the links, options, commands and targets that they name exist."""

from __future__ import annotations

import argparse
import re
import subprocess
from pathlib import Path

from pytest_ipv6k8s.cli import main as cli
from pytest_ipv6k8s.cli.images import images
from pytest_ipv6k8s.options import RENAMED
from pytest_ipv6k8s.settings import OPTIONS
from tests.house.tree import ROOT, SOURCE

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "ci").rglob("*.md")])
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
EXAMPLES = [*sorted((ROOT / "ci").rglob("*.yml")), ROOT / "ci" / "docs" / "hooks.py"]
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


def _targets(page: Path) -> list[str]:
    """Return where the links of a page lead, in parentheses or below the text, without anchors."""
    links = r"\]\(([^)#]+)[^)]*\)|^\[[^\]]+\]: ([^\s#]+)"
    found = re.findall(links, page.read_text("utf-8"), re.MULTILINE)
    return [there or below for there, below in found]


def _file(page: Path, target: str) -> Path | None:
    """Return the file of ours to which a link leads; None where it leads to others."""
    if target.startswith(f"{SOURCE}/blob/main/"):
        return ROOT / target.removeprefix(f"{SOURCE}/blob/main/")
    return None if "://" in target else page.parent / target


def test_links_lead_somewhere() -> None:
    dead = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in _targets(page)
        if (file := _file(page, target)) and not file.exists()
    ]
    assert dead == []


def test_what_the_package_index_shows_links_absolutely() -> None:
    readme = ROOT / "README.md"
    targets = _targets(readme)
    assert len(targets) > 5
    assert [target for target in targets if "://" not in target] == []
    named = set(re.findall(r"\]\[([^\]]+)\]", readme.read_text("utf-8")))
    assert named <= set(re.findall(r"^\[([^\]]+)\]:", readme.read_text("utf-8"), re.MULTILINE))


def test_the_project_has_one_name() -> None:
    name = SOURCE.removeprefix("https://github.com/")
    pattern = re.compile(r"(?:uses: |github\.com/)([\w-]+/pytest-ipv6k8s)\b")
    named = [
        (file, found) for file in (*PAGES, *EXAMPLES) for found in pattern.findall(file.read_text())
    ]
    assert len(named) > 5
    assert [(file.name, found) for file, found in named if found != name] == []


def test_the_page_of_sites_without_the_internet_lists_the_images() -> None:
    text = (ROOT / "docs" / "howto" / "air-gapped.md").read_text("utf-8")
    listed = [tuple(re.split(" {2,}", line)) for line in text.splitlines() if "  --" in line]
    assert listed == [row for row in images() if row[1] != "-"]


def test_the_readme_links_the_index_and_the_index_every_page() -> None:
    readme = ROOT / "README.md"
    assert ROOT / "docs" / "index.md" in [_file(readme, target) for target in _targets(readme)]
    docs = ROOT / "docs"
    index = (docs / "index.md").read_text("utf-8")
    pages = [*docs.glob("*.md"), *(docs / "howto").glob("*.md"), docs / "catalogue" / "index.md"]
    names = {page.relative_to(docs).as_posix() for page in pages} - {"index.md"}
    assert [name for name in sorted(names) if f"]({name})" not in index] == []


def test_the_options_page_has_every_option() -> None:
    text = (ROOT / "docs" / "options.md").read_text("utf-8")
    rows = [
        f"| `{option.flag}{f' {option.metavar}' if option.metavar else ''}` | {option.help} |"
        for option in OPTIONS
    ]
    assert [line for line in text.splitlines() if line.startswith("| `--")] == rows


def test_options_that_are_named_exist() -> None:
    known = {option.flag for option in OPTIONS} | {f"--ipv6k8s-{name}" for name in RENAMED}
    unknown = {
        f"{page.relative_to(ROOT)}: {name}"
        for page in PAGES
        for name in re.findall(r"--ipv6k8s-[a-z0-9-]*[a-z0-9]", page.read_text("utf-8"))
        if name not in known
    }
    assert unknown == set()


def test_make_targets_that_are_named_exist() -> None:
    named = _named("make")
    assert named
    targets = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
    assert [row for row in sorted(named) if row[1] not in targets] == []


def test_commands_that_are_named_exist() -> None:
    named = _named("ipv6k8s")
    assert named
    assert [row for row in sorted(named) if row[1] not in _subcommands()] == []


def test_make_help_lists_every_phony_target() -> None:
    phony = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    targets = [name for line in phony for name in line.split()]
    helped = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    listed = [line.split()[0] for line in helped.stdout.splitlines()]
    assert sorted(listed) == sorted(targets)


def test_files_are_given_to_pytest_with_an_equals_sign() -> None:
    """A word behind a space is a path of tests for pytest, and its folder the project's."""
    options = "kubeconfig|declaration|report|bundle|cni-values|cni-chart"
    loose = re.compile(rf"--ipv6k8s-(?:{options}) (?:FILE|FOLDER|[^\s`]*[./]\w)")
    texts = [*PAGES, *(ROOT / "pytest_ipv6k8s").rglob("*.py"), ROOT / "fixtures/declaration.yaml"]
    found = [
        f"{page.relative_to(ROOT)}: {word}"
        for page in texts
        if page.name != "options.md"
        for word in loose.findall(page.read_text("utf-8"))
    ]
    assert found == []
