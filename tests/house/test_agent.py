"""What runs in a pod needs nothing but an old Python."""

from __future__ import annotations

import ast
import io
import sys
import zipfile

import pytest

from pytest_ipv6k8s.probe.deploy import zipapp
from tests.house.tree import imports

AGENT = zipfile.ZipFile(io.BytesIO(zipapp()))
FILES = sorted(name for name in AGENT.namelist() if name.endswith(".py"))


@pytest.mark.parametrize("file", FILES)
def test_it_imports_the_standard_library_only(file: str) -> None:
    for module in imports(ast.parse(AGENT.read(file))):
        top = module.partition(".")[0]
        assert top in sys.stdlib_module_names or module.startswith("pytest_ipv6k8s"), module


@pytest.mark.parametrize("file", FILES)
def test_it_finds_its_own_modules_in_the_archive(file: str) -> None:
    known = {name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in FILES}
    for module in imports(ast.parse(AGENT.read(file))):
        if module.startswith("pytest_ipv6k8s"):
            assert module in known or module.rpartition(".")[0] in known, module


@pytest.mark.parametrize("file", FILES)
def test_it_keeps_to_the_syntax_of_python_3_9(file: str) -> None:
    module = ast.parse(AGENT.read(file), feature_version=(3, 9))
    new = {"slots", "kw_only"}
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("dataclass"):
            assert not new & {keyword.arg for keyword in node.keywords}, ast.unparse(node)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "zip":
            assert "strict" not in {keyword.arg for keyword in node.keywords}, ast.unparse(node)
