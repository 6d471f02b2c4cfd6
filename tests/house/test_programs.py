"""Programs without a suffix and programs among the data are as small as modules."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house.test_sizes import FILE, FUNCTION
from tests.house.tree import ROOT


def _programs() -> list[Path]:
    found = list((ROOT / "fixtures").rglob("*.py"))
    for folder in ("ci", "fixtures"):
        for file in (ROOT / folder).rglob("*"):
            if file.is_file() and not file.suffix and "__pycache__" not in file.parts:
                found.append(file)
    return sorted(found)


PROGRAMS = _programs()


def _is_python(file: Path) -> bool:
    first = file.read_text("utf-8").partition("\n")[0]
    return file.suffix == ".py" or (first.startswith("#!") and "python" in first)


@pytest.mark.parametrize("file", PROGRAMS, ids=lambda file: str(file.relative_to(ROOT)))
def test_programs_are_small(file: Path) -> None:
    assert len(file.read_text("utf-8").splitlines()) <= FILE
    if not _is_python(file):
        return
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = (node.end_lineno or 0) - node.lineno + 1
            assert lines <= FUNCTION, f"{node.name} has {lines} lines"
