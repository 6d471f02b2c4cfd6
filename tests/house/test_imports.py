"""The finer rules of imports: no cycles, small doors, and what checks may stand on."""

from __future__ import annotations

import ast
import graphlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pytest_ipv6k8s
from tests.house.tree import SUITE, early_imports, imports, name_of, sources, tree

BASE = "pytest_ipv6k8s"
MODULES = {name_of(file): file for file in sources(BASE, "conformance")}
CHECK_FILES = sorted(SUITE.glob("test_*.py"))
DOORS = {"addresses", "checks", "errors", "evidence", "needs"}
REPORTS_STAND_ON = {
    *("reports", "verdicts", "profiles", "checks", "addresses", "errors", "evidence", "data"),
}
CHECKS_STAND_ON = {
    f"{BASE}.{name}"
    for name in (
        *("addresses", "dns_messages", "targets", "targets.egress", "waiting"),
        *("probe.arena", "probe.scene", "probe.truth_table"),
    )
}


def _imported(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield module and name of every import; the name of a whole module is empty."""
    for item in ast.walk(node):
        if isinstance(item, ast.Import):
            yield from ((alias.name, "") for alias in item.names)
        elif isinstance(item, ast.ImportFrom):
            for alias in item.names:
                whole = f"{item.module}.{alias.name}"
                yield (whole, "") if whole in MODULES else (str(item.module), alias.name)


def _uses(file: Path) -> set[str]:
    """Return our own modules that a file imports, at once, late or for its types."""
    return {module for module, _ in _imported(tree(file)) if module in MODULES}


def test_no_module_imports_itself_through_others() -> None:
    graph = {name: _uses(file) - {name} for name, file in MODULES.items()}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" -> ".join(reversed(error.args[1])))


def test_the_package_itself_offers_the_vocabulary_only() -> None:
    used = {module.removeprefix(f"{BASE}.") for module in _uses(MODULES[BASE])}
    assert used == DOORS


@pytest.mark.parametrize("name", sorted(name for name in MODULES if f"{BASE}.reports" in name))
def test_reports_never_touch_a_cluster(name: str) -> None:
    for module in _uses(MODULES[name]):
        part = module.removeprefix(f"{BASE}.").partition(".")[0]
        assert part in REPORTS_STAND_ON, module


@pytest.mark.parametrize("file", CHECK_FILES, ids=lambda file: str(file.stem))
def test_a_check_imports_what_checks_are_given(file: Path) -> None:
    for module, name in _imported(tree(file)):
        if module == BASE:
            assert name in pytest_ipv6k8s.__all__, f"{file.name}: {name} is not public"
        elif module == f"{BASE}.probe":
            assert name.isupper(), f"{file.name} imports {name}, which is no port and no file"
        elif module.partition(".")[0] not in sys.stdlib_module_names:
            known = module in CHECKS_STAND_ON or module.startswith(f"{BASE}.probe.ops.")
            assert known, f"{file.name} imports {module}"


def test_the_checks_conftest_needs_pytest_alone() -> None:
    assert set(imports(tree(SUITE / "conftest.py"))) == {
        *("__future__", "__future__.annotations"),
        "pytest",
    }


def test_nothing_reaches_into_pytest() -> None:
    for name, file in MODULES.items():
        inside = [module for module in imports(tree(file)) if module.startswith("_pytest")]
        assert not inside, f"{name} imports {inside}"


def test_no_check_is_imported_from_code() -> None:
    for name, file in MODULES.items():
        suite = [module for module in imports(tree(file)) if "conformance" in module]
        assert not suite, f"{name} imports {suite}"


def test_class_bodies_import_nothing() -> None:
    for name, file in MODULES.items():
        classes = [node for node in ast.walk(tree(file)) if isinstance(node, ast.ClassDef)]
        for one in classes:
            early = list(early_imports(ast.Module(body=one.body, type_ignores=[])))
            assert not early, f"{name}.{one.name} imports {early}"


def test_sleep_is_called_where_waiting_is_done() -> None:
    for name, file in MODULES.items():
        if name == f"{BASE}.waiting" or name.startswith(f"{BASE}.probe.ops."):
            continue
        assert ("time", "sleep") not in set(_imported(tree(file))), name
        for node in ast.walk(tree(file)):
            assert not (isinstance(node, ast.Attribute) and node.attr == "sleep"), name
