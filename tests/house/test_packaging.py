"""The wheel has all that is needed, and nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.house.tree import ROOT

PROJECT = pytest.importorskip("tomllib").loads((ROOT / "pyproject.toml").read_text("utf-8"))
PLACES = {
    "pytest_ipv6k8s": "pytest_ipv6k8s",
    "conformance": "pytest_ipv6k8s/conformance",
    "fixtures": "pytest_ipv6k8s/fixtures",
}


def _shipped() -> set[str]:
    found = set()
    for folder, place in PLACES.items():
        for file in (ROOT / folder).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                found.add(f"{place}/{file.relative_to(ROOT / folder)}")
    return found


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree, so that nothing is left here."""
    copy = tmp_path_factory.mktemp("source")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            file = copy / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes((ROOT / name).read_bytes())
    return copy


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel; a warning would be an error."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(source)]
    done = _python(build, warnings="error", cwd=source)
    assert done.returncode == 0, done.stdout + done.stderr
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def _python(words: list[str], *, warnings: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONWARNINGS": warnings}
    return subprocess.run(
        [sys.executable, *words], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )


def test_make_installs_the_tree_without_a_warning(source: Path, tmp_path: Path) -> None:
    ignored = re.findall(r"PYTHONWARNINGS='(.*?)'", (ROOT / "Makefile").read_text("utf-8"))
    backend = "import sys, setuptools.build_meta as it; it.build_editable(sys.argv[1])"
    warnings = ",".join(["error", *ignored])
    done = _python(["-c", backend, str(tmp_path)], warnings=warnings, cwd=source)
    assert done.returncode == 0, done.stderr


def test_the_wheel_holds_the_tree(wheel: zipfile.ZipFile) -> None:
    held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == _shipped()


def test_the_wheel_offers_plugin_and_command(wheel: zipfile.ZipFile) -> None:
    name = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    offered = wheel.read(name).decode()
    assert "[pytest11]\nipv6k8s = pytest_ipv6k8s.plugin" in offered
    assert "ipv6k8s = pytest_ipv6k8s.cli.main:main" in offered


def test_every_folder_with_modules_is_a_listed_package() -> None:
    folders = {
        ".".join(("pytest_ipv6k8s", *Path(file).parent.parts[1:]))
        for file in _shipped()
        if file.endswith("/__init__.py")
    }
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == folders
