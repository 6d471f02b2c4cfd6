"""The report as one HTML file that needs nothing else, no font and no request."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Any, TextIO
from urllib.parse import quote

from pytest_ipv6k8s import data, words
from pytest_ipv6k8s.reports import view
from pytest_ipv6k8s.reports.diagnosis import diagnosis
from pytest_ipv6k8s.reports.model import CheckResult, Report
from pytest_ipv6k8s.reports.untested import untested
from pytest_ipv6k8s.verdicts import Verdict

SUFFIXES = (".html",)
_SIGNS = {
    **{"pass": "✓", "fail": "✗", "inconclusive": "?", "informational": "i", "skip": "↷"},
    **{"not judged": "‖", "not applicable": "–", "success": "✓", "partial": "◐", "failure": "✗"},  # noqa: RUF001
    **{"reached": "✓", "not reached": "✗", "not asked": "·"},
}


def write(report: Report, out: TextIO) -> None:
    """Write the page, piece by piece."""
    out.writelines(_template().generate(_context(report)))


def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True,
        loader=jinja2.FunctionLoader(lambda name: data.text(f"report/{name}")),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    filters: dict[str, Any] = {
        "style": _style,
        "sign": lambda word: _SIGNS.get(word, ""),
        "short": lambda family: family.replace("IPv", "v"),
        "worst": view.worst,
        "passed": view.passed,
        "gaps": view.gaps,
        "paths_beside": view.paths_beside,
        "asked": words.request,
        "answered": words.answer,
        "seconds": lambda value: f"{value:.3g} s",
        "linked": _linked,
        "is_link": lambda text: text.startswith(("https://", "http://")),
        "place": _place,
        "groupby_area": _by_area,
    }
    environment.filters |= filters
    return environment.get_template("report.html")


def _context(report: Report) -> dict[str, Any]:
    script = data.text("report/report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    context = {
        "report": report,
        "script": script,
        "script_hash": f"sha256-{digest}",
        "identity": view.identity(report),
        "environment": view.environment(report),
        "headlines": diagnosis(report.checks),
        "failed": view.with_verdict(report, Verdict.FAIL),
        "inconclusive": view.with_item(report, Verdict.INCONCLUSIVE),
        "areas": view.by_area(report),
        "families": view.families(report),
        "paths": view.paths(report),
        "untested": untested(report),
        "known": {check.id for check in report.checks},
    }
    return {**context, "contents": _contents(report, context)}


def _contents(report: Report, context: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the sections that there are, with their names."""
    sections = (
        ("diagnosis", "Diagnosis", context["headlines"]),
        ("fail", "Failures", context["failed"]),
        ("inconclusive", "Inconclusive", context["inconclusive"]),
        ("profiles", "Profiles", report.profiles),
        ("areas", "By area", context["areas"]),
        ("connectivity", "Connectivity", context["paths"]),
        ("checks", "All checks", True),
        ("waivers", "Waivers", report.waivers),
        ("untested", "Not tested, and how to", context["untested"]),
        ("reproduce", "Reproduce", True),
    )
    return [(id, name) for id, name, there in sections if there]


def _place(path: str) -> str:
    """Return a link to a file of this machine or below the report, and to nothing else."""
    return ("file://" if path.startswith("/") else "./") + quote(path)


def _style(word: str) -> str:
    """Return the class of the style sheet for a verdict, a result or a sign."""
    return {"skip": "skip-verdict", "not run": "not-asked"}.get(word, word.replace(" ", "-"))


def _by_area(checks: Iterable[CheckResult]) -> list[tuple[str, list[CheckResult]]]:
    grouped = itertools.groupby(checks, key=lambda check: check.area)
    return [(area, list(group)) for area, group in grouped]


_SOURCES = re.compile(r"RFC (?P<rfc>\d+)|KEP-(?P<kep>\d+)")


def _linked(reference: str) -> list[tuple[str, str]]:
    """Return a reference in pieces, each with the page that it leads to, or none."""
    pieces: list[tuple[str, str]] = []
    end = 0
    for found in _SOURCES.finditer(reference):
        rfc, kep = found["rfc"], found["kep"]
        page = f"https://www.rfc-editor.org/rfc/rfc{rfc}" if rfc else f"https://kep.k8s.io/{kep}"
        pieces += [(reference[end : found.start()], ""), (found[0], page)]
        end = found.end()
    return [*pieces, (reference[end:], "")]
