"""Where output goes: a line for each check, a summary, and the report files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_ipv6k8s import __version__
from pytest_ipv6k8s.errors import HostProblem
from pytest_ipv6k8s.plugin.collection import declared_by
from pytest_ipv6k8s.plugin.document import format_setting, make_report
from pytest_ipv6k8s.plugin.outcome import category_in, result_in
from pytest_ipv6k8s.plugin.run import RUN
from pytest_ipv6k8s.plugin.state import is_worker
from pytest_ipv6k8s.reports import Report, save, view
from pytest_ipv6k8s.reports.folding import skipped_core
from pytest_ipv6k8s.reports.pseudonyms import redacted
from pytest_ipv6k8s.reports.untested import untested
from pytest_ipv6k8s.results import ItemResult
from pytest_ipv6k8s.settings import OPTIONS, Settings
from pytest_ipv6k8s.verdicts import Verdict

_MARKUP: dict[Verdict, dict[str, bool]] = {
    Verdict.PASS: {"green": True},
    Verdict.FAIL: {"red": True, "bold": True},
    Verdict.INCONCLUSIVE: {"yellow": True, "bold": True},
    Verdict.NOT_JUDGED: {"yellow": True},
    Verdict.INFORMATIONAL: {"cyan": True},
    Verdict.SKIP: {"yellow": True},
    Verdict.NOT_APPLICABLE: {"light": True},
}

_MOST_IDS = 8


class Reporting:
    """Collects what became of the items, in the process that talks to the user."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self._config = config
        self._settings = settings
        self._results: list[ItemResult] = []
        self._report: Report | None = None
        self._unwritten: dict[Path, str] = {}

    def pytest_report_header(self) -> list[str]:
        """Show each setting that was made, with its source."""
        values = [
            f"{option.name}={format_setting(option.value(self._settings))} "
            f"(from {self._settings.sources[option.key]})"
            for option in OPTIONS
            if option.key in self._settings.sources
        ]
        lines = [f"ipv6k8s: {__version__}, {', '.join(values)}"]
        if not self._settings.asked_on_command_line:
            lines.append("ipv6k8s: add --pyargs pytest_ipv6k8s.conformance for the built-in suite")
        return lines

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave file names out when only checks run: each prints a line of its own."""
        if items and all(declared_by(item) for item in items):
            self._hide_file_names()

    def _hide_file_names(self) -> None:
        reporter: Any = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.showfspath = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Count a check once, under its verdict; its line is ours to print."""
        category = category_in(report)
        return None if category is None else (category, "", category.upper())

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Print the line of a check that has come to its end."""
        result = None if is_worker(self._config) else result_in(report)
        if result is None:
            return
        self._results.append(result)
        reporter: Any = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None or self._config.get_verbosity() < 0:
            return
        check, outcome = result.check, result.outcome
        verdict, family = outcome.verdict, outcome.family
        reporter.ensure_newline()
        reporter.write(f"{check.id:8} {family.value if family else '':5} ")
        reporter.write(f"{verdict.value:14}", **_MARKUP[verdict])
        reporter.write_line(f" {outcome.seconds:7.2f} s  {check.requirement}")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Clean up, then write the reports; strict settings may turn the run red."""
        run = self._config.stash.get(RUN, None)
        if run is None or is_worker(self._config):
            return
        run.close()
        if not self._results:
            return
        self._report = report = make_report(
            self._config, run, self._results, complete=exitstatus in (0, 1)
        )
        self._save(report)
        broken = bool(self._unwritten) or not all(fact.ok for fact in report.harness)
        gaps = self._settings.strict and (
            skipped_core(report.checks, self._settings.profile) or not report.complete
        )
        if session.exitstatus == pytest.ExitCode.OK and (broken or gaps):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _save(self, report: Report) -> None:
        if self._settings.report.redact:
            report = redacted(report)
        for path in self._settings.report.files:
            try:
                save(report, path)
            except HostProblem as problem:
                self._unwritten[path] = str(problem)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print a table by area, then what is inconclusive or skipped and why."""
        report = self._report
        if report is None:
            return
        terminalreporter.section("IPv6 conformance")
        _print_table(terminalreporter, report)
        terminalreporter.write_line(f"probes   {view.probed(report)}")
        _print_profiles(terminalreporter, report)
        _print_reasons(terminalreporter, report, verbose=self._config.get_verbosity() > 0)
        for fact in report.harness:
            if not fact.ok:
                terminalreporter.write_line(f"harness  {fact.id} {fact.title}: {fact.actual}")
        for path in self._settings.report.files:
            trouble = self._unwritten.get(path, "")
            terminalreporter.write_line(f"report   {trouble or path}", red=bool(trouble))
        bundles = sum(bool(result.outcome.bundle) for result in self._results)
        if bundles:
            terminalreporter.write_line(f"bundles  {bundles} in {self._settings.report.bundle}")
        part = "" if report.selection.is_whole else f": {report.selection}"
        terminalreporter.write_line(f"result   {report.result.value}{part}", bold=True)


def _print_table(out: Any, report: Report) -> None:
    out.write_line(f"{'area':9}" + "".join(f"{verdict.value:>15}" for verdict in Verdict))
    for area, counts in report.areas.items():
        out.write_line(f"{area:9}" + "".join(f"{counts[v] or '.':>15}" for v in Verdict))
    out.write_line(f"{'all':9}" + "".join(f"{report.summary[v]:>15}" for v in Verdict))


def _print_profiles(out: Any, report: Report) -> None:
    for claim in report.profiles:
        parts = [
            f"{name} {part.result.value} ({view.passed(part)} pass)"
            for name, part in (("core", claim.core), ("extended", claim.extended))
            if part is not None
        ]
        out.write_line(f"profile  {claim.name}: {', '.join(parts)}")


def _print_reasons(out: Any, report: Report, *, verbose: bool) -> None:
    for check in report.checks:
        if check.verdict is Verdict.INCONCLUSIVE:
            out.write_line(f"inconclusive  {check.id}: {check.reason}", yellow=True)
        if check.waived:
            out.write_line(f"waived  {check.id} ({check.verdict.value}): {check.waived}")
    for base, ids in view.not_judged(report).items():
        more = f" and {len(ids) - _MOST_IDS} more" if len(ids) > _MOST_IDS else ""
        out.write_line(f"not judged  {', '.join(ids[:_MOST_IDS])}{more}: rests on {base}")
    gaps = untested(report)
    if gaps:
        out.write_line("Not tested, and how to (-v: why):")
    for gap in gaps:
        out.write_line(f"  {gap}")
    for reason, ids in view.skipped(report).items() if verbose else ():
        out.write_line(f"skipped  {', '.join(ids)}: {reason}")
