"""The wheel has all that is needed, and nothing else."""

from __future__ import annotations

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
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from a copy so that nothing is left here."""
    folder = tmp_path_factory.mktemp("build")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            copy = folder / "source" / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes((ROOT / name).read_bytes())
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*build, str(folder / "source")], capture_output=True, check=True)
    return zipfile.ZipFile(next(folder.glob("*.whl")))


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
