"""The commands ``ipv6k8s report``: check a report, compare two, render one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_ipv6k8s import __version__, catalogue
from pytest_ipv6k8s.reports import checking, reading, save, view, writer_for
from pytest_ipv6k8s.reports.comparing import Difference, compare
from pytest_ipv6k8s.reports.pseudonyms import redacted

OK, PROBLEM = 0, 1
FORMATS = ("html", "md", "yaml", "json")


def add(commands: Any) -> None:
    """Add the command and what it can do."""
    report = commands.add_parser("report", help="check, compare and render reports")
    actions = report.add_subparsers(title="actions", metavar="ACTION", required=True)

    action = actions.add_parser("check", help="say whether a report agrees with itself")
    action.add_argument("file", type=Path, help="a YAML or JSON report")
    action.set_defaults(run=_check)

    action = actions.add_parser("diff", help="say what is better, worse, new or gone")
    action.add_argument("before", type=Path, help="a YAML or JSON report")
    action.add_argument("after", type=Path, help="another one")
    action.set_defaults(run=_diff)

    action = actions.add_parser("render", help="write a report in another format")
    action.add_argument("file", type=Path, help="a YAML or JSON report")
    action.add_argument("--to", choices=FORMATS, required=True, help="the format")
    action.add_argument("--output", type=Path, help="where to (standard output)")
    action.add_argument("--redact", action="store_true", help="pseudonyms for addresses and names")
    action.set_defaults(run=_render)


def _check(chosen: argparse.Namespace) -> int:
    document = reading.read(chosen.file)
    revision = catalogue.revision()
    same = document["suite"]["catalogue"] == revision
    found = checking.disagreements(document, catalogue.checks() if same else {})
    if not document["complete"]:
        found.append("the run did not come to its end")
    for problem in found:
        print(f"problem  {problem}")
    for remark in checking.remarks(document, version=__version__, catalogue=revision):
        print(f"remark   {remark}")
    for claim in document["profiles"]:
        extended = f", extended {claim['extended']['result']}" if "extended" in claim else ""
        print(f"profile  {claim['name']}: core {claim['core']['result']}{extended}")
    print(f"result   {document['result']}")
    if not found:
        print(f"The report agrees with itself: {len(document['checks'])} checks.")
    return PROBLEM if found else OK


def _diff(chosen: argparse.Namespace) -> int:
    one, other = reading.read(chosen.before), reading.read(chosen.after)
    print(f"before  {_told(one)}\nafter   {_told(other)}")
    if one["suite"] != other["suite"]:
        print("remark  different suites: a check may ask for something else")
    differences = compare(one, other)
    for difference in differences:
        print(_line(difference))
    if not differences:
        print("Every check came to the same verdict.")
    return PROBLEM if any(difference.is_red for difference in differences) else OK


def _told(document: Mapping[str, Any]) -> str:
    facts = dict(view.environment(document))
    return ", ".join(
        filter(
            None,
            (
                view.identity(document),
                *(facts[name] for name in ("Kubernetes", "stack", "CNI", "proxy")),
                document["result"],
                document["date"],
            ),
        )
    )


def _line(difference: Difference) -> str:
    change = " → ".join(filter(None, (difference.before, difference.after)))
    families = f" [{', '.join(difference.families)}]" if difference.families else ""
    name = f"{difference.change.value:7} {difference.id:8}"
    return f"{name} {change}{families}  {difference.requirement}"


def _render(chosen: argparse.Namespace) -> int:
    writer = writer_for(Path(f"report.{chosen.to}"))
    document = reading.read(chosen.file)
    if chosen.redact:
        document = redacted(document)
    if chosen.output is None:
        writer.write(document, sys.stdout)
    else:
        save(document, chosen.output, writer)
    return OK
