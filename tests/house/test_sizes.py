"""Small modules, small functions."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house.tree import ROOT, sources, tree

FILE, FUNCTION = 400, 40
FILES = sources("pytest_ipv6k8s", "conformance", "ci", "tests")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_files_and_functions_are_small(file: Path) -> None:
    assert len(file.read_text("utf-8").splitlines()) <= FILE
    for node in ast.walk(tree(file)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = (node.end_lineno or 0) - node.lineno + 1
            assert lines <= FUNCTION, f"{node.name} has {lines} lines"
