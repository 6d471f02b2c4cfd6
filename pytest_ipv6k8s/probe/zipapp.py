"""The agent as one file that a Python runs."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_MAIN = "from pytest_ipv6k8s.agent.main import main\nmain()\n"
_DATE = (2020, 1, 1, 0, 0, 0)


def zipapp() -> bytes:
    """Return the folder ``agent/`` as a zip; the same bytes for the same sources."""
    buffer = io.BytesIO()
    files = {"__main__.py": _MAIN, "pytest_ipv6k8s/__init__.py": ""}
    files |= dict(_sources(resources.files("pytest_ipv6k8s.agent"), "pytest_ipv6k8s/agent"))
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _DATE), text)
    return buffer.getvalue()


def _sources(folder: Traversable, place: str) -> Iterator[tuple[str, str]]:
    for item in folder.iterdir():
        where = f"{place}/{item.name}"
        if item.is_dir():
            yield from _sources(item, where)
        elif item.name.endswith(".py"):
            yield where, item.read_text("utf-8")
