"""What the house tests look at: the source files and what they import."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = "https://github.com/pytest-ipv6k8s/pytest-ipv6k8s"
PACKAGE, SUITE = ROOT / "pytest_ipv6k8s", ROOT / "conformance"


def sources(*folders: str) -> list[Path]:
    """Return the Python files below these folders."""
    return sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))


def tree(file: Path) -> ast.Module:
    """Return a file's syntax tree."""
    return ast.parse(file.read_text("utf-8"), str(file))


def name_of(file: Path) -> str:
    """Return a module's name as it is imported when installed."""
    parts = list(file.relative_to(ROOT).with_suffix("").parts)
    if parts[0] != "pytest_ipv6k8s":
        parts.insert(0, "pytest_ipv6k8s")
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(node: ast.AST) -> Iterator[str]:
    """Yield every module that is imported anywhere below a node."""
    for item in ast.walk(node):
        if isinstance(item, ast.Import):
            yield from (alias.name for alias in item.names)
        elif isinstance(item, ast.ImportFrom):
            assert item.level == 0, "relative imports do not survive packaging"
            assert item.module
            yield item.module
            yield from (f"{item.module}.{alias.name}" for alias in item.names)


def early_imports(module: ast.Module) -> Iterator[str]:
    """Yield what is imported when a module is: not in functions, not for types only."""
    for statement in module.body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
            continue
        yield from imports(statement)
