"""Imports point downwards only, and some modules are imported by one part only."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house.tree import PACKAGE, SUITE, early_imports, imports, name_of, sources, tree

BASE = "pytest_ipv6k8s"
LAYERS = (
    ("errors", "addresses", "needs", "checks", "verdicts", "evidence", "dns_messages", "profiles"),
    ("options", "settings", "waiting", "process", "data", "catalogue", "fixes"),
    ("kube",),
    ("clusters", "probe"),
    ("targets",),
    ("bundle", "reports"),
    ("plugin", "cli", "cli_report", "__main__"),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
SIBLINGS = {"clusters": {"probe", "targets"}, "probe": {"clusters"}, "targets": {"clusters"}}
SIBLINGS |= {"bundle": {"clusters", "targets", "reports"}, "reports": {"bundle"}}
ONLY_IN = {
    "kubernetes": {"kube"},
    "websocket": {"kube"},
    "pyroute2": {"targets"},
    "pytest": {"plugin"},
    "filelock": {"clusters"},
    "tenacity": {"waiting"},
    "dns": {"dns_messages"},
    "jsonschema": {"targets", "reports"},
    "jinja2": {"reports"},
}
LATE = {*ONLY_IN, "yaml", "urllib3"} - {"pytest"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def _part(module: str) -> str:
    """Return the first name below the package; empty for the package itself."""
    return module.removeprefix(BASE).lstrip(".").partition(".")[0]


def _name(file: Path) -> str:
    return name_of(file).removeprefix(f"{BASE}.")


@pytest.mark.parametrize("file", MODULES, ids=_name)
def test_imports_point_downwards(file: Path) -> None:
    own = _part(name_of(file))
    if not own:
        return
    for module in imports(tree(file)):
        other = _part(module) if module.startswith(f"{BASE}.") else ""
        if other in RANK and other != own:
            assert RANK[other] <= RANK[own], f"{_name(file)} imports {module}, which is above it"
            assert other not in SIBLINGS.get(own, ()), f"{own} must not know {other}"


@pytest.mark.parametrize("file", MODULES, ids=_name)
def test_each_library_has_one_user(file: Path) -> None:
    for module in imports(tree(file)):
        users = ONLY_IN.get(module.partition(".")[0])
        assert users is None or _part(name_of(file)) in users, f"{_name(file)} imports {module}"


@pytest.mark.parametrize("file", MODULES, ids=_name)
def test_heavy_libraries_are_imported_late(file: Path) -> None:
    heavy = {module for module in early_imports(tree(file)) if module.partition(".")[0] in LATE}
    assert not heavy, f"{_name(file)} imports {heavy} when it is imported itself"


@pytest.mark.parametrize("file", sorted(SUITE.glob("*.py")), ids=lambda file: str(file.stem))
def test_checks_stand_on_the_vocabulary_and_the_operations(file: Path) -> None:
    for module in imports(tree(file)):
        if not module.startswith((BASE, "conformance")):
            continue
        assert module.startswith(BASE), f"{file.name} imports {module}"
        assert _part(module) not in ("plugin", "cli", "conformance", "clusters", "reports"), module


def test_only_one_module_sleeps() -> None:
    sleeping = {
        _name(file)
        for file in MODULES
        if "sleep(" in file.read_text("utf-8") and "probe/ops" not in str(file)
    }
    assert sleeping <= {"waiting"}


def test_the_layers_name_every_module() -> None:
    parts = {_part(name_of(file)) for file in sources(BASE)} - {""}
    assert parts == set(RANK)
