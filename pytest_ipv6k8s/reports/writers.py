"""Report formats, and a report that becomes a file: whole, or not there."""

from __future__ import annotations

import importlib
import io
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol, TextIO

from pytest_ipv6k8s.errors import ConfigError, HostProblem
from pytest_ipv6k8s.files import write_whole
from pytest_ipv6k8s.reports.model import Report


class Writer(Protocol):
    """A report format: a module of :mod:`pytest_ipv6k8s.reports.formats`."""

    SUFFIXES: tuple[str, ...]

    def write(self, report: Report, out: TextIO) -> None:
        """Write a report."""
        ...


def _formats() -> Iterator[Any]:
    folder = importlib.import_module("pytest_ipv6k8s.reports.formats")
    for found in pkgutil.iter_modules(folder.__path__):
        yield importlib.import_module(f"{folder.__name__}.{found.name}")


def known_suffixes() -> tuple[str, ...]:
    """Return the suffixes that stand for a format, each with its dot, sorted."""
    return tuple(sorted(suffix for module in _formats() for suffix in module.SUFFIXES))


def writer_for(path: Path) -> Writer:
    """Return the format that a file's suffix stands for.

    Raises:
        ConfigError: no format has this suffix.
    """
    found: Writer | None = next((m for m in _formats() if path.suffix in m.SUFFIXES), None)
    if found is None:
        raise ConfigError(
            f"no report format is known by the suffix of {path}",
            remedy=f"use one of: {', '.join(known_suffixes())}",
        )
    return found


def save(report: Report, path: Path, writer: Writer | None = None) -> None:
    """Write a report to a file, whole or not at all.

    Args:
        report: the report.
        path: the file.
        writer: the format; without, the file's suffix says which.

    Raises:
        ConfigError: no format has this suffix.
        HostProblem: the file cannot be written.
    """
    out = io.StringIO()
    (writer or writer_for(path)).write(report, out)
    try:
        write_whole(path, out.getvalue().encode())
    except OSError as error:
        raise HostProblem(
            f"report {path} cannot be written: {error.strerror}",
            remedy="free some space or give another path",
        ) from None
