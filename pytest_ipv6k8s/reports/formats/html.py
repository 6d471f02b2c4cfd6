"""The report as one HTML file that needs nothing else: no script, no font, no request."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from typing import Any, TextIO
from urllib.parse import quote

from pytest_ipv6k8s import data
from pytest_ipv6k8s.reports import view

SUFFIXES = (".html",)
_SIGNS = {
    **{"pass": "✓", "fail": "✗", "inconclusive": "?", "informational": "i", "skip": "↷"},
    **{"not applicable": "–", "success": "✓", "partial": "◐", "failure": "✗"},  # noqa: RUF001
    **{"reached": "✓", "not reached": "✗", "not asked": "·"},
}
_GAPS = (
    *(("failed", "failed"), ("inconclusive", "inconclusive"), ("waived", "waived")),
    *(("skipped", "skipped"), ("notRun", "not run")),
)


def write(document: Mapping[str, Any], out: TextIO) -> None:
    """Write it."""
    out.writelines(_template().generate(_context(document)))


def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True,
        loader=jinja2.FunctionLoader(lambda name: data.text(f"report/{name}")),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.ChainableUndefined,
    )
    filters: dict[str, Any] = {
        "style": _style,
        "sign": lambda word: _SIGNS.get(word, ""),
        "short": lambda family: family.replace("IPv", "v"),
        "worst": view.worst,
        "passed": view.passed,
        "spoken": _spoken,
        "is_link": lambda text: text.startswith(("https://", "http://")),
        "place": _place,
        "groupby_area": _by_area,
    }
    environment.filters |= filters
    return environment.get_template("report.html")


def _context(document: Mapping[str, Any]) -> dict[str, Any]:
    found = {
        "document": document,
        "identity": view.identity(document),
        "environment": view.environment(document),
        "failed": view.with_verdict(document, "fail"),
        "inconclusive": view.with_verdict(document, "inconclusive"),
        "areas": view.by_area(document),
        "families": view.families(document),
        "paths": view.paths(document),
        "skipped": view.skipped(document),
        "known": {check["id"] for check in document["checks"]},
        "gaps": _GAPS,
    }
    return {**found, "contents": _contents(document, found)}


def _contents(document: Mapping[str, Any], found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the sections that there are, with their names."""
    sections = (
        ("fail", "Failures", found["failed"]),
        ("inconclusive", "Inconclusive", found["inconclusive"]),
        ("profiles", "Profiles", document["profiles"]),
        ("areas", "By area", found["areas"]),
        ("connectivity", "Connectivity", found["paths"]),
        ("checks", "All checks", True),
        ("waivers", "Waivers", document["waivers"]),
        ("skipped", "Skipped", found["skipped"]),
        ("reproduce", "Reproduce", True),
    )
    return [(id, name) for id, name, there in sections if there]


def _place(path: str) -> str:
    """Return a link to a file of this machine or below the report, and to nothing else."""
    return ("file://" if path.startswith("/") else "./") + quote(path)


def _style(word: str) -> str:
    """Return the class of the style sheet for a verdict, a result or a sign."""
    return {"skip": "skip-verdict", "not run": "not-asked"}.get(word, word.replace(" ", "-"))


def _by_area(checks: Iterable[view.Check]) -> list[tuple[str, list[view.Check]]]:
    grouped = itertools.groupby(checks, key=lambda check: check["id"].split("-")[0])
    return [(area, list(group)) for area, group in grouped]


def _spoken(heard: Any) -> str:
    """Return a question or an answer in one line; what is empty is left out."""
    if not isinstance(heard, Mapping):
        return json.dumps(heard, ensure_ascii=False)
    said = [
        str(value) if name == "op" else f"{name} {_value(value)}"
        for name, value in heard.items()
        if value not in (None, "", [], {})
    ]
    return ", ".join(said)


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
