"""Packages of other people, as installers leave them in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pytest_ipv6k8s.clusters.contract import ENTRY_POINTS


def install(folder: Path, package: str, *, providers: Mapping[str, str], source: str = "") -> None:
    """Put a package with providers into a folder that is on Python's path.

    Args:
        folder: where to.
        package: its name, and that of its only module.
        providers: entry points, by name.
        source: the text of the module.
    """
    metadata = folder / f"{package}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = [f"{name} = {value}" for name, value in providers.items()]
    (metadata / "entry_points.txt").write_text("\n".join([f"[{ENTRY_POINTS}]", *lines, ""]))
    (folder / f"{package}.py").write_text(source)
