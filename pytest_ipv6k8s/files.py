"""Files of users: a document that is read with clear errors, and a file that is written whole."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from pytest_ipv6k8s.errors import ConfigError


def read_document(path: Path, *, what: str, source: str) -> dict[str, Any]:
    """Return the mapping that a YAML file holds; JSON is YAML, too.

    Errors never quote the file, for it may hold secrets.

    Args:
        path: the file.
        what: what it should be, such as ``kubeconfig``; errors begin with it.
        source: where its path comes from, such as ``$KUBECONFIG``.

    Raises:
        ConfigError: it does not exist, cannot be read, or is no mapping in YAML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{what} {path} does not exist", remedy=f"check {source}") from None
    except OSError as error:
        raise ConfigError(
            f"{what} {path} cannot be read: {error.strerror}",
            remedy=f"check {source}, and who may read the file",
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(
            f"{what} {path} cannot be read: it is no text in UTF-8", remedy=f"check {source}"
        ) from None
    return _mapping(text, name=f"{what} {path}", what=what, source=source)


def _mapping(text: str, *, name: str, what: str, source: str) -> dict[str, Any]:
    import yaml

    try:
        document = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", see line {mark.line + 1}" if mark else ""
        raise ConfigError(f"{name} is not YAML{line}", remedy="correct the file") from None
    except (yaml.YAMLError, ValueError, RecursionError):  # a date such as 2026-13-01: ValueError
        raise ConfigError(f"{name} is not YAML", remedy="correct the file") from None
    if not isinstance(document, dict):
        raise ConfigError(f"{name} is no {what}", remedy=f"check {source}")
    return document


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all: beside it first, as ``NAME.tmp``, then in its place.

    Args:
        path: the file; its folder has to exist.
        content: text, which becomes UTF-8, or bytes.

    Raises:
        OSError: it cannot be written; what was there before still is.
    """
    unfinished = path.with_name(f"{path.name}.tmp")
    data = content.encode() if isinstance(content, str) else content
    try:
        unfinished.write_bytes(data)
        unfinished.replace(path)
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
