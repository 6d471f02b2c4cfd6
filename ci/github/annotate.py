"""Tell GitHub which checks are red: an annotation for each, and the result as an output.

Called by action.yml: ``annotate.py REPORT OUTPUT GITHUB_OUTPUT``, where REPORT is JSON and OUTPUT
holds what pytest printed, for runs that end before there is a report.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

MOST = 10
"""GitHub shows so many annotations of each kind from one step, and drops the others."""
LONGEST = 500


def main(report: Path, output: Path, outputs: Path) -> None:
    """Print workflow commands, and append ``result=`` to the step's outputs."""
    if report.is_file():
        document = json.loads(report.read_text("utf-8"))
        result, lines = str(document["result"]), list(_of_report(document))
    else:
        result, lines = "none", [_command("error", "no report", _last_error(output))]
    print(*lines, sep="\n", end="\n" if lines else "")
    with outputs.open("a", encoding="utf-8") as out:
        out.write(f"result={result}\n")


def _of_report(document: Mapping[str, Any]) -> Iterator[str]:
    red = [check for check in document["checks"] if "waived" not in check]
    yield from _bounded("error", [check for check in red if check["verdict"] == "fail"])
    yield from _bounded("warning", [check for check in red if check["verdict"] == "inconclusive"])
    for fact in document["harness"]:
        if not fact["ok"]:
            yield _command("warning", f"{fact['id']} {fact['title']}", fact["actual"])


def _bounded(kind: str, checks: list[Mapping[str, Any]]) -> Iterator[str]:
    shown = checks if len(checks) <= MOST else checks[: MOST - 1]
    for check in shown:
        yield _command(kind, f"{check['id']} {check['verdict']}", _explained(check))
    left = [check["id"] for check in checks[len(shown) :]]
    if left:
        yield _command(kind, f"{len(left)} more", f"{', '.join(left)}: see the report")


def _explained(check: Mapping[str, Any]) -> str:
    """Return requirement, reason, and what its first failure expected and received."""
    lines = [check["requirement"], check["reason"]]
    failures = [item["failure"] for item in check["items"] if "failure" in item]
    if failures:
        lines += [f"expected: {failures[0]['expected']}", *_actual(failures[0]["actual"])]
        lines += [f"found: {fact}" for fact in failures[0].get("facts", [])]
        lines += [f"fix: {fix}" for fix in failures[0].get("fixes", [])[:1]]
    lines.append(f"more: ipv6k8s explain {check['id']}")
    return "\n".join(line[:LONGEST] for line in lines if line)


def _actual(findings: list[str]) -> Iterable[str]:
    more = [f"… and {len(findings) - 3} more"] if len(findings) > 3 else []
    return [f"actual: {text}" for text in findings[:3]] + more


def _last_error(output: Path) -> str:
    lines = output.read_text("utf-8", "replace").splitlines() if output.is_file() else []
    errors = [line.partition("ERROR: ")[2] for line in lines if "ERROR: " in line]
    return (errors or ["the run ended before it could write one; see the step's log"])[-1]


def _command(kind: str, title: str, text: str) -> str:
    return f"::{kind} title={_escaped(title, ':,')}::{_escaped(text)}"


def _escaped(text: str, more: str = "") -> str:
    """Return a text as a workflow command may carry it."""
    for character in f"%\r\n{more}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
