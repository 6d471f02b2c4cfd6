"""Files of users, read with distrust: a document with clear errors, and a file written whole."""

from __future__ import annotations

import contextlib
import json
import stat
from pathlib import Path
from typing import Any

from pytest_ipv6k8s.errors import ConfigError

LARGEST = 4 * 2**20
MOST_VALUES, DEEPEST = 50_000, 100
"""What a document may hold: the client of Kubernetes needs two seconds for so many values."""
_NO_FILES = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def read_document(path: Path, *, what: str, source: str) -> dict[str, Any]:
    """Return the mapping that a YAML file holds; JSON is YAML, too.

    Errors never quote the file, for it may hold secrets.

    Args:
        path: the file.
        what: what it should be, such as ``kubeconfig``; errors begin with it.
        source: where its path comes from, such as ``$KUBECONFIG``.

    Raises:
        ConfigError: it does not exist, cannot be read, is too large, or is no mapping in YAML.
    """
    name, check = f"{what} {path}", f"check {source}"
    document = _parsed(read_text(path, name=name, check=check), name=name, check=check)
    if not isinstance(document, dict):
        raise ConfigError(f"{name} is no {what}", remedy=check)
    return document


def read_text(path: Path, *, name: str, check: str, largest: int = LARGEST) -> str:
    """Return the text of a file; see :func:`read_bytes`.

    Raises:
        ConfigError: it cannot be read, or is no text in UTF-8.
    """
    try:
        return read_bytes(path, name=name, check=check, largest=largest).decode("utf-8")
    except UnicodeDecodeError:
        problem = f"{name} cannot be read: it is no text in UTF-8"
        raise ConfigError(problem, remedy=check) from None


def read_bytes(path: Path, *, name: str, check: str, largest: int) -> bytes:
    """Return what a file holds; pipes and devices are refused, for they may have no end.

    Args:
        path: the file.
        name: how errors call it.
        check: the remedy, as an imperative.
        largest: so many bytes are read.

    Raises:
        ConfigError: it does not exist, cannot be read, or is too large.
    """
    try:
        kind = _NO_FILES.get(stat.S_IFMT(path.stat().st_mode))
        if kind:
            raise ConfigError(f"{name} is {kind}, and no file", remedy="write it to a file first")
        with path.open("rb") as file:
            data = file.read(largest + 1)
    except FileNotFoundError:
        raise ConfigError(f"{name} does not exist", remedy=check) from None
    except (OSError, ValueError) as error:  # ValueError: NUL in its name
        reason = error.strerror if isinstance(error, OSError) else error
        remedy = f"{check}, and who may read the file"
        raise ConfigError(f"{name} cannot be read: {reason}", remedy=remedy) from None
    if len(data) > largest:
        raise ConfigError(f"{name} has more than {largest // 2**20} MiB", remedy=check)
    return data


class Excess(Exception):
    """A document that is too much; says of what, to follow the file's name."""


def load_yaml(text: str, *, most: int) -> Any:
    """Return what YAML holds; it is counted before it is built.

    Args:
        text: the YAML.
        most: how many values it may stand for.

    Raises:
        yaml.YAMLError: it is none.
        ValueError: a value is none, such as the date 2026-13-01.
        RecursionError: it is nested too deeply.
        Excess: it stands for too many values.
    """
    import yaml

    for number, _ in enumerate(yaml.parse(text, Loader=yaml_loader())):
        if number > most:
            raise Excess("has too many values")
    document = yaml.load(text, Loader=yaml_loader())
    _refuse_excess(document, most)
    return document


def load_json(text: str, *, most: int) -> Any:
    """Return what JSON holds; it is counted before it is built.

    Raises:
        ValueError: it is none.
        RecursionError: it is nested too deeply.
        Excess: it stands for too many values.
    """
    if sum(text.count(mark) for mark in "[{,") > most:
        raise Excess("has too many values")
    return json.loads(text)


def yaml_loader() -> Any:
    """Return the safe loader of YAML that is in C, where there is one: it is ten times as fast."""
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _refuse_excess(document: Any, most: int) -> None:
    """Refuse what is small and stands for much: aliases of aliases, or one that has no end."""
    left, waiting = most, [(document, 0)]
    while waiting:
        value, depth = waiting.pop()
        left -= 1
        inner = value.values() if isinstance(value, dict) else value
        if isinstance(value, (dict, list)):
            waiting += [(item, depth + 1) for item in inner]
        if depth > DEEPEST:
            raise Excess("is nested too deeply")
        if left < len(waiting):
            raise Excess("has too many values")


def _parsed(text: str, *, name: str, check: str) -> Any:
    import yaml

    try:
        return load_yaml(text, most=MOST_VALUES)
    except Excess as error:
        raise ConfigError(f"{name} {error}", remedy=check) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", see line {mark.line + 1}" if mark else ""
        raise ConfigError(f"{name} is not YAML{line}", remedy="correct the file") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ConfigError(f"{name} is not YAML", remedy="correct the file") from None


def why_unwritable(path: Path) -> str:
    """Say why a file cannot be written as :func:`write_whole` does; empty when it can.

    What stands in the place of the unfinished one is left there.
    """
    unfinished = path.with_name(f"{path.name}.tmp")
    if path.is_dir():
        return "it is a folder"
    try:
        if not (unfinished.exists() or unfinished.is_symlink()):
            unfinished.write_bytes(b"")
            unfinished.unlink()
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""


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
