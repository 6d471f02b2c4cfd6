"""What runs in a pod is not only parsed by an old Python: it runs on one, too."""

from __future__ import annotations

import ast
import builtins
import io
import sys
import zipfile
from collections.abc import Iterator

import pytest

from pytest_ipv6k8s.probe.deploy import zipapp
from tests.house.tree import ROOT, imports, tree

AGENT = zipfile.ZipFile(io.BytesIO(zipapp()))
FILES = sorted(name for name in AGENT.namelist() if name.endswith(".py"))
TYPES = {name for name, value in vars(builtins).items() if isinstance(value, type)}
NEWER_MODULES = {"tomllib", "wsgiref.types", "concurrent.futures.interpreter"}
GONE_MODULES = {"asynchat", "asyncore", "cgi", "crypt", "distutils", "imp", "nntplib", "pipes"}
GONE_MODULES |= {"smtpd", "telnetlib", "uu", "xdrlib"}
NEWER_NAMES = {
    "itertools": {"pairwise", "batched"},
    "enum": {"StrEnum", "verify", "member", "nonmember"},
    "datetime": {"UTC"},
    "dataclasses": {"KW_ONLY"},
    "typing": {"ParamSpec", "Concatenate", "TypeAlias", "TypeGuard", "Self", "Never"}
    | {"LiteralString", "assert_never", "override", "Unpack", "NotRequired", "Required"},
    "types": {"NoneType", "UnionType", "EllipsisType"},
    "contextlib": {"aclosing", "chdir"},
    "asyncio": {"TaskGroup", "timeout", "Runner"},
}


def _module(file: str) -> ast.Module:
    return ast.parse(AGENT.read(file))


def _is_type(node: ast.expr) -> bool:
    if isinstance(node, ast.Subscript):
        return _is_type(node.value)
    if isinstance(node, ast.Constant):
        return node.value is None
    return isinstance(node, ast.Name) and (node.id in TYPES or node.id.istitle())


def _unions(node: ast.AST) -> Iterator[ast.BinOp]:
    for item in ast.walk(node):
        if isinstance(item, ast.BinOp) and isinstance(item.op, ast.BitOr):
            yield item


def _annotations(node: ast.AST) -> Iterator[ast.expr]:
    for item in ast.walk(node):
        annotation = getattr(item, "annotation", None) or getattr(item, "returns", None)
        if isinstance(annotation, ast.expr):
            yield annotation


@pytest.mark.parametrize("file", FILES)
def test_unions_of_types_are_never_evaluated(file: str) -> None:
    module = _module(file)
    postponed = "__future__.annotations" in set(imports(module))
    annotated = {id(union) for note in _annotations(module) for union in _unions(note)}
    for union in _unions(module):
        if id(union) in annotated:
            assert postponed, f"{file} evaluates {ast.unparse(union)}"
        elif _is_type(union.left) or _is_type(union.right):
            pytest.fail(f"{file} evaluates {ast.unparse(union)}")


@pytest.mark.parametrize("file", [file for file in FILES if "/ops/" in file])
def test_fields_are_not_unions(file: str) -> None:
    for node in ast.walk(_module(file)):
        if isinstance(node, ast.ClassDef):
            for note in _annotations(ast.Module(body=node.body, type_ignores=[])):
                union = [ast.unparse(found) for found in _unions(note)]
                assert not union, f"{file} {node.name}: typing.get_type_hints evaluates {union}"


@pytest.mark.parametrize("file", FILES)
def test_nothing_newer_or_gone_is_imported(file: str) -> None:
    module = _module(file)
    assert not set(imports(module)) & (NEWER_MODULES | GONE_MODULES)
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom):
            newer = NEWER_NAMES.get(str(node.module), set()) & {a.name for a in node.names}
            assert not newer, f"{file} imports {newer} from {node.module}"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            newer = NEWER_NAMES.get(node.value.id, set()) & {node.attr}
            assert not newer, f"{file} uses {node.value.id}.{node.attr}"


def test_the_archive_has_an_entry_and_nothing_of_the_host() -> None:
    assert "__main__.py" in FILES
    ours = {file for file in FILES if file.startswith("pytest_ipv6k8s/probe/")}
    ops = (ROOT / "pytest_ipv6k8s" / "probe" / "ops").glob("*.py")
    assert {f"pytest_ipv6k8s/probe/ops/{file.name}" for file in ops} <= ours
    for host in ("session", "deploy", "control", "scene"):
        assert f"pytest_ipv6k8s/probe/{host}.py" not in ours


@pytest.mark.parametrize("name", ["layout", "world"])
def test_the_outside_container_needs_pyroute2_alone(name: str) -> None:
    targets = "pytest_ipv6k8s.targets"
    for module in imports(tree(ROOT / "pytest_ipv6k8s" / "targets" / f"{name}.py")):
        top = module.partition(".")[0]
        if top == "pytest_ipv6k8s":
            assert module == targets or module.startswith(f"{targets}.layout"), module
        else:
            assert top in sys.stdlib_module_names or (top, name) == ("pyroute2", "world"), module
