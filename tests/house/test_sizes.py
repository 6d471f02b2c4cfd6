"""Small modules, small functions; programs without a suffix and among the data, too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.house.tree import ROOT, sources

FILE, FUNCTION = 400, 40
PROGRAMS = [
    file
    for folder in ("ci", "fixtures")
    for file in sorted((ROOT / folder).rglob("*"))
    if file.is_file() and not file.suffix and "__pycache__" not in file.parts
]
FILES = [*sources("pytest_ipv6k8s", "conformance", "ci", "tests", "fixtures"), *PROGRAMS]


def _too_large(file: Path) -> Iterator[str]:
    text, name = file.read_text("utf-8"), str(file.relative_to(ROOT))
    lines = text.splitlines()
    if len(lines) > FILE:
        yield f"{name} has {len(lines)} lines"
    if file.suffix != ".py" and "python" not in lines[0]:
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            size = (node.end_lineno or 0) - node.lineno + 1
            if size > FUNCTION:
                yield f"{name}: {node.name} has {size} lines"


def test_files_and_functions_are_small() -> None:
    assert [found for file in FILES for found in _too_large(file)] == []
