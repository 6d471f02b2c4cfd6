"""What runs in a pod or in the testbed's container needs nothing of the host."""

from __future__ import annotations

import ast
import io
import sys
import zipfile
from collections.abc import Iterator

from pytest_ipv6k8s.probe.zipapp import zipapp
from tests.house.tree import ROOT, imports, sources, tree

AGENT = zipfile.ZipFile(io.BytesIO(zipapp()))
FILES = sorted(name for name in AGENT.namelist() if name.endswith(".py"))


def _foreign(module: ast.Module, ours: set[str]) -> Iterator[str]:
    for name in imports(module):
        own = name in ours or name.rpartition(".")[0] in ours
        if not own and name.partition(".")[0] not in sys.stdlib_module_names:
            yield name


def test_the_agent_is_its_folder_and_imports_the_standard_library_and_itself() -> None:
    whole = {str(file.relative_to(ROOT)) for file in sources("pytest_ipv6k8s/agent")}
    assert set(FILES) == whole | {"__main__.py", "pytest_ipv6k8s/__init__.py"}
    ours = {name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in FILES}
    foreign = [(file, *_foreign(ast.parse(AGENT.read(file)), ours)) for file in FILES]
    assert [found for found in foreign if len(found) > 1] == []


def test_fields_of_requests_and_answers_are_not_unions() -> None:
    """``typing.get_type_hints`` evaluates them, and Python 3.9 cannot."""
    unions = [
        f"{file.name}: {ast.unparse(field)}"
        for file in sources("pytest_ipv6k8s/agent/ops")
        for kind in tree(file).body
        if isinstance(kind, ast.ClassDef)
        for field in kind.body
        if isinstance(field, ast.AnnAssign)
        for part in ast.walk(field.annotation)
        if isinstance(part, ast.BinOp)
    ]
    assert unions == []


def test_the_testbed_container_needs_pyroute2_alone() -> None:
    ours = {"pytest_ipv6k8s.testbed", "pytest_ipv6k8s.testbed.layout"}
    for name in ("layout", "container"):
        found = set(_foreign(tree(ROOT / "pytest_ipv6k8s" / "testbed" / f"{name}.py"), ours))
        assert {module.partition(".")[0] for module in found} <= {"pyroute2"}, (name, found)
