"""A report's file, read with distrust: it may be large, cut short, edited, or something else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.reports.model import API_VERSION, KIND, Report

LARGEST = 8 * 2**20
MOST_VALUES = 2_000_000
_LONGEST = 200
_AGAIN = "run the suite again, or give the file as it was written"


def read(path: Path) -> Report:
    """Return the report in a YAML or JSON file that keeps to the schema.

    A file of more than 8 MiB is refused unread, and so is YAML whose aliases stand for more than
    two million values: the suite writes neither.

    Raises:
        ConfigError: the file cannot be read, or is no report of this version; says why.
    """
    document = _parse(path, _text(path))
    _bounded(path, document)
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise ConfigError(
            f"{path} is no report of this suite",
            remedy="give the YAML or JSON file that --ipv6k8s-report wrote",
        )
    if document.get("apiVersion") != API_VERSION:
        raise ConfigError(
            f"{path} is of version {_cut(str(document.get('apiVersion')))}, "
            f"and this ipv6k8s reads {API_VERSION}",
            remedy=f"run the suite again, or use the pytest-ipv6k8s that wrote it"
            f"{_version(document)}",
        )
    problem = _problem(document)
    if problem:
        raise ConfigError(f"{path} does not keep to the schema: {problem}", remedy=_AGAIN)
    return Report.from_plain(document)


def _text(path: Path) -> str:
    if path.suffix in (".html", ".md"):
        raise ConfigError(
            f"{path} is a rendering of a report", remedy="give the YAML or JSON report itself"
        )
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise ConfigError(
                f"{path} has {size / 2**20:.0f} MiB, and no report is larger than "
                f"{LARGEST // 2**20} MiB",
                remedy="keep fewer answers with --ipv6k8s-evidence, if the suite wrote it",
            )
        return path.read_text("utf-8")
    except OSError as error:
        raise ConfigError(
            f"report {path} cannot be read: {error.strerror}", remedy="check path and rights"
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is no text in UTF-8", remedy=_AGAIN) from None


def _parse(path: Path, text: str) -> Any:
    kind = "JSON" if path.suffix == ".json" else "YAML"
    try:
        return json.loads(text) if kind == "JSON" else _yaml(text)
    except RecursionError:
        problem = "it is nested too deeply"
    except ValueError as error:
        problem = " ".join(str(error).split())
    raise ConfigError(f"{path} is no {kind}, or was cut short: {_cut(problem)}", remedy=_AGAIN)


def _yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


def _bounded(path: Path, document: Any) -> None:
    """Count the values, to refuse a small file whose aliases stand for a huge document."""
    left, waiting = MOST_VALUES, [document]
    while waiting:
        value = waiting.pop()
        left -= 1
        if isinstance(value, dict):
            waiting += value.values()
            if not all(isinstance(key, str) for key in value):
                raise ConfigError(f"{path} has a key that is no text", remedy=_AGAIN)
        elif isinstance(value, list):
            waiting += value
        if left - len(waiting) < 0:
            raise ConfigError(f"{path} stands for too many values", remedy=_AGAIN)


def _version(document: Mapping[str, Any]) -> str:
    suite = document.get("suite")
    version = suite.get("version") if isinstance(suite, dict) else None
    return f", version {_cut(str(version))}" if version else ""


def _problem(document: Mapping[str, Any]) -> str:
    import jsonschema

    schema = json.loads(
        resources.files("pytest_ipv6k8s.reports").joinpath("schema.json").read_text()
    )
    error = next(jsonschema.Draft202012Validator(schema).iter_errors(document), None)
    if error is None:
        return ""
    where = error.json_path.removeprefix("$").lstrip(".") or "at the top"
    return f"{where}: {_cut(error.message)}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
