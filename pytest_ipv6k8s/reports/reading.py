"""A report's file, read with distrust: it may be large, cut short, edited, or something else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.files import Excess, load_json, load_yaml, read_text
from pytest_ipv6k8s.reports.model import API_VERSION, KIND, Report

LARGEST = 8 * 2**20
MOST_VALUES = 300_000
_LONGEST = 200
_OURS = "give the file that --ipv6k8s-report wrote; --ipv6k8s-evidence keeps it small"
_AGAIN = "run the suite again, or give the file as it was written"


def read(path: Path) -> Report:
    """Return the report in a YAML or JSON file that keeps to the schema.

    A file of more than 8 MiB is refused unread, and so is YAML whose aliases stand for more than
    300,000 values: the suite writes neither.

    Raises:
        ConfigError: the file cannot be read, or is no report of this version; says why.
    """
    document = _parse(path, _text(path))
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
    return read_text(path, name=f"report {path}", check=_OURS, largest=LARGEST)


def _parse(path: Path, text: str) -> Any:
    import yaml

    kind, load = ("JSON", load_json) if path.suffix == ".json" else ("YAML", load_yaml)
    try:
        document = load(text, most=MOST_VALUES)
    except Excess as error:
        raise ConfigError(f"{path} {error}", remedy=_AGAIN) from None
    except RecursionError:
        problem = "it is nested too deeply"
    except (yaml.YAMLError, ValueError) as error:
        problem = " ".join(str(error).split())
    else:
        if _has_odd_key(document):
            raise ConfigError(f"{path} has a key that is no text", remedy=_AGAIN)
        return document
    raise ConfigError(f"{path} is no {kind}, or was cut short: {_cut(problem)}", remedy=_AGAIN)


def _has_odd_key(value: Any) -> bool:
    if isinstance(value, dict):
        return any(not isinstance(key, str) or _has_odd_key(value[key]) for key in value)
    return isinstance(value, list) and any(map(_has_odd_key, value))


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
