"""Report formats, and a report that becomes a file: whole, or not there."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, TextIO

from pytest_ipv6k8s.errors import ConfigError, HostProblem


class Writer(Protocol):
    """A report format: a module of :mod:`pytest_ipv6k8s.reports.formats`."""

    SUFFIXES: tuple[str, ...]

    def write(self, document: Mapping[str, Any], out: TextIO) -> None:
        """Write a report that keeps to the schema."""
        ...


def _formats() -> Iterator[Any]:
    folder = importlib.import_module("pytest_ipv6k8s.reports.formats")
    for found in pkgutil.iter_modules(folder.__path__):
        yield importlib.import_module(f"{folder.__name__}.{found.name}")


def writer_for(path: Path) -> Writer:
    """Return the format that a file's suffix stands for.

    Raises:
        ConfigError: no format has this suffix.
    """
    known: list[str] = []
    for module in _formats():
        if path.suffix not in module.SUFFIXES:
            known += module.SUFFIXES
            continue
        writer: Writer = module
        return writer
    raise ConfigError(
        f"no report format is known by the suffix of {path}",
        remedy=f"use one of: {', '.join(sorted(known))}",
    )


def save(document: Mapping[str, Any], path: Path, writer: Writer | None = None) -> None:
    """Write a report to a file, whole or not at all.

    Args:
        document: a report that keeps to the schema.
        path: the file.
        writer: the format; without, the file's suffix tells.

    Raises:
        HostProblem: the file cannot be written.
    """
    writer, unfinished = writer or writer_for(path), path.with_name(path.name + ".tmp")
    try:
        with unfinished.open("w", encoding="utf-8") as out:
            writer.write(document, out)
        unfinished.replace(path)
    except OSError as error:
        raise HostProblem(
            f"report {path} cannot be written: {error.strerror}",
            remedy="free some space or give another path",
        ) from None
    finally:
        unfinished.unlink(missing_ok=True)
