"""The commands ``ipv6k8s report``: check a report, compare two, render one."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from pytest_ipv6k8s import __version__, catalogue
from pytest_ipv6k8s.masking import masked_in, one_line
from pytest_ipv6k8s.reports import (
    Report,
    checking,
    known_suffixes,
    reading,
    save,
    view,
    writer_for,
)
from pytest_ipv6k8s.reports.comparing import Difference, compare
from pytest_ipv6k8s.reports.pseudonyms import redacted
from pytest_ipv6k8s.words import counted

OK, PROBLEM = 0, 1


def add(commands: Any) -> None:
    """Add the command and what it can do."""
    formats = [suffix.removeprefix(".") for suffix in known_suffixes()]
    report = commands.add_parser("report", help="check, compare and render reports")
    actions = report.add_subparsers(title="actions", metavar="ACTION", required=True)

    action = actions.add_parser("check", help="say whether a report is consistent")
    action.add_argument("file", type=Path, help="a YAML or JSON report")
    action.add_argument(
        "--publish", action="store_true", help="refuse also what may not be published"
    )
    action.set_defaults(run=_check)

    action = actions.add_parser("diff", help="say what is better, worse, new or gone")
    action.add_argument("before", type=Path, help="a YAML or JSON report")
    action.add_argument("after", type=Path, help="another one")
    action.set_defaults(run=_diff)

    action = actions.add_parser("render", help="write a report in another format")
    action.add_argument("file", type=Path, help="a YAML or JSON report")
    action.add_argument("--to", choices=formats, required=True, help="the format")
    action.add_argument("--output", type=Path, help="where to (standard output)")
    action.add_argument("--redact", action="store_true", help="pseudonyms for addresses and names")
    action.set_defaults(run=_render)


def _check(chosen: argparse.Namespace) -> int:
    report = reading.read(chosen.file)
    revision = catalogue.revision()
    same = report.suite.catalogue == revision
    problems = checking.contradictions(report, catalogue.checks() if same else {})
    if chosen.publish:
        problems += checking.unpublishable(report)
    elif not report.complete:
        problems.append("the run did not come to its end")
    for problem in problems:
        print(f"problem  {one_line(problem)}")
    known = checking.remarks(
        report, version=__version__, catalogue=revision, publish=chosen.publish
    )
    for remark in known:
        print(f"remark   {one_line(remark)}")
    for claim in report.profiles:
        extended = f", extended {claim.extended.result.value}" if claim.extended else ""
        print(f"profile  {claim.name}: core {claim.core.result.value}{extended}")
    print(f"result   {report.result.value}")
    if not problems:
        print(f"The report is consistent: {counted(len(report.checks), 'check')}.")
    return PROBLEM if problems else OK


def _diff(chosen: argparse.Namespace) -> int:
    one, other = masked_in(reading.read(chosen.before)), masked_in(reading.read(chosen.after))
    print(f"before  {_summary(one)}\nafter   {_summary(other)}")
    if one.suite != other.suite:
        print("remark  different suites: a check may ask for something else")
    differences = compare(one, other)
    for difference in differences:
        print(_line(difference))
    if not differences:
        print("Every check came to the same verdict.")
    return PROBLEM if any(difference.is_red for difference in differences) else OK


def _summary(report: Report) -> str:
    facts = dict(view.environment(report))
    words = (
        view.identity(report),
        *(facts[name] for name in ("Kubernetes", "stack", "CNI", "proxy")),
        report.result.value,
        report.date,
    )
    return one_line(", ".join(filter(None, words)))


def _line(difference: Difference) -> str:
    verdicts = (difference.before, difference.after)
    change = " → ".join(verdict.value for verdict in verdicts if verdict)
    families = f" [{', '.join(difference.families)}]" if difference.families else ""
    name = f"{difference.change.value:7} {difference.id:8}"
    return f"{name} {one_line(change + families)}  {one_line(difference.requirement)}"


def _render(chosen: argparse.Namespace) -> int:
    writer = writer_for(Path(f"report.{chosen.to}"))
    report = masked_in(reading.read(chosen.file))
    if chosen.redact:
        report = redacted(report)
    if chosen.output is None:
        writer.write(report, sys.stdout)
    else:
        save(report, chosen.output, writer)
    return OK
