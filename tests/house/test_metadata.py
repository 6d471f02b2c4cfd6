"""What the project says of itself to those who install it."""

from __future__ import annotations

import importlib
import re
import sys
from itertools import chain
from typing import Any

import pytest

import pytest_ipv6k8s
from tests.house.tree import ROOT, SOURCE, imports, sources, tree

PYPROJECT: dict[str, Any] = pytest.importorskip("tomllib").loads(
    (ROOT / "pyproject.toml").read_text("utf-8")
)
PROJECT, SETUPTOOLS = PYPROJECT["project"], PYPROJECT["tool"]["setuptools"]
MODULE_OF = {"PyYAML": "yaml", "dnspython": "dns"}


def test_the_lowest_python_is_the_same_everywhere() -> None:
    lowest = PROJECT["requires-python"].removeprefix(">=")
    assert lowest == "3.10"
    assert PYPROJECT["tool"]["ruff"]["target-version"] == f"py{lowest.replace('.', '')}"


def test_the_version_is_the_same_everywhere() -> None:
    assert PROJECT["version"] == pytest_ipv6k8s.__version__


@pytest.mark.parametrize(
    "target", [*PROJECT["scripts"].values(), *PROJECT["entry-points"]["pytest11"].values()]
)
def test_entry_points_lead_somewhere(target: str) -> None:
    module, _, name = target.partition(":")
    found = importlib.import_module(module)
    assert not name or callable(getattr(found, name))


def test_addresses_of_the_project_are_of_files_that_exist() -> None:
    for url in PROJECT["urls"].values():
        inside = url.removeprefix(SOURCE)
        assert inside in ("", "/issues") or (ROOT / inside.removeprefix("/blob/main/")).is_file()


def test_packages_are_the_folders_with_python_files() -> None:
    folders = {"pytest_ipv6k8s.fixtures"}
    for file in sources("pytest_ipv6k8s", "conformance"):
        parts = file.parent.relative_to(ROOT).parts
        own = parts if parts[0] == "pytest_ipv6k8s" else ("pytest_ipv6k8s", *parts)
        folders.add(".".join(own))
    assert SETUPTOOLS["packages"] == sorted(folders)


def test_no_path_leads_outside() -> None:
    paths = [*SETUPTOOLS["package-dir"].values(), *chain(*SETUPTOOLS["package-data"].values())]
    for path in [*paths, PROJECT["readme"], *PROJECT["license-files"]]:
        assert not path.startswith(("/", "~")), path
        assert ".." not in path.split("/"), path


def test_what_is_imported_is_required() -> None:
    extras = [name for names in PROJECT["optional-dependencies"].values() for name in names]
    stated = [re.split(r"[<>=\[]", text)[0] for text in [*PROJECT["dependencies"], *extras]]
    known = {MODULE_OF.get(name, name.replace("-", "_")) for name in stated}
    known |= {"pytest_ipv6k8s", "urllib3", "websocket", "xdist"}  # kubernetes and xdist bring them
    known |= set(sys.stdlib_module_names)
    for file in sources("pytest_ipv6k8s", "conformance"):
        unknown = {module.partition(".")[0] for module in imports(tree(file))} - known
        assert not unknown, f"{file.relative_to(ROOT)} imports {unknown}"
