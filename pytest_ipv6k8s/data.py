"""Where packaged data files are found."""

from __future__ import annotations

from contextlib import AbstractContextManager
from importlib import resources
from pathlib import Path


def text(name: str) -> str:
    """Return a data file below ``fixtures/``, such as ``kind/dual.yaml``.

    Raises:
        FileNotFoundError: there is no such file.
    """
    return resources.files("pytest_ipv6k8s.fixtures").joinpath(name).read_text(encoding="utf-8")


def folder(name: str) -> AbstractContextManager[Path]:
    """Return a context with the path of a folder below ``fixtures/``, such as ``testbed/servers``.

    An installed one may hold more than files of ours: pip writes byte code beside programs.
    """
    return resources.as_file(resources.files("pytest_ipv6k8s.fixtures").joinpath(name))
