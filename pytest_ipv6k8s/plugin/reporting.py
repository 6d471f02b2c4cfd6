"""Where output goes: a line for each check, a summary, and the report files."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_ipv6k8s import __version__
from pytest_ipv6k8s.errors import HostProblem
from pytest_ipv6k8s.masking import one_line
from pytest_ipv6k8s.plugin.collection import declared_by
from pytest_ipv6k8s.plugin.document import format_setting, make_report
from pytest_ipv6k8s.plugin.outcome import BUNDLES, category_in, result_in
from pytest_ipv6k8s.plugin.run import RUN, Run
from pytest_ipv6k8s.plugin.screen import Screen
from pytest_ipv6k8s.plugin.state import FACTS, LOST, TRACED, is_worker
from pytest_ipv6k8s.plugin.steps import STEPS
from pytest_ipv6k8s.plugin.used import in_use
from pytest_ipv6k8s.reports import Report, save, terminal, view
from pytest_ipv6k8s.reports.folding import skipped_core
from pytest_ipv6k8s.reports.pseudonyms import redacted
from pytest_ipv6k8s.reports.terminal import Line
from pytest_ipv6k8s.results import ItemResult
from pytest_ipv6k8s.settings import Settings
from pytest_ipv6k8s.words import counted
from pytest_ipv6k8s.wrapping import wrapped


class Reporting:
    """Collects what became of the items, in the process that talks to the user."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self._config = config
        self._settings = settings
        self._screen = Screen(config)
        self._results: list[ItemResult] = []
        self._report: Report | None = None
        self._strict: tuple[str, ...] = ()
        self._unwritten: dict[Path, str] = {}
        self._others = ""
        self._bundle: Line | None = None
        self._session: pytest.Session | None = None

    def pytest_report_header(self) -> list[str]:
        """Show the settings that are used, with their sources; a line for each with ``-v``."""
        by_source: dict[str, list[str]] = {}
        for option in in_use(self._settings):
            value = format_setting(self._settings, option)
            source = self._settings.sources[option.key]
            by_source.setdefault(source, []).append(f"{option.key}={value}")
        verbose = self._config.get_verbosity() > 0
        lines = [f"ipv6k8s: {__version__}"]
        for source, values in by_source.items():
            shown = values if verbose else [", ".join(values)]
            lines += [f"ipv6k8s: {value} (from {source})" for value in shown]
        if not self._settings.asked_on_command_line:
            lines.append("ipv6k8s: add --pyargs pytest_ipv6k8s.conformance for the built-in suite")
        return [wrapped(line, self._screen.width) for line in lines]

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out what pytest shows of items when only checks run: each has a line of its own."""
        if items and all(declared_by(item) for item in items):
            self._screen.belongs_to_checks()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Take the terminal over."""
        self._session = session
        self._screen.begin()

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
        total = self._session.testscollected if self._session else 0
        self._screen.check(result, number=len(self._results), total=total)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(
        self, session: pytest.Session, exitstatus: int
    ) -> Generator[None, object, object]:
        """Clean up and write the reports, whatever others could not write."""
        try:
            return (yield)
        except OSError as error:  # as --junitxml on a full disk
            self._others = one_line(str(error))
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            return None
        finally:
            self._finish(session, exitstatus)

    def _finish(self, session: pytest.Session, exitstatus: int) -> None:
        """Clean up, then write the reports; strict settings may turn the run red.

        Who interrupts a run may not wait for its clean-up: then they are written before it, too.
        """
        run = self._config.stash.get(RUN, None)
        if run is None or is_worker(self._config):
            return
        if exitstatus in (0, 1):
            self._locate(run)
        self._pack_bundle()
        complete = exitstatus in (0, 1) and not self._config.stash.get(LOST, False)
        if not complete and self._results:
            self._save(make_report(self._config, run, self._results, complete=complete))
        try:
            run.close()
        finally:
            self._config.stash[STEPS].end()
            if self._results:
                self._conclude(session, complete=complete)

    def _conclude(self, session: pytest.Session, *, complete: bool) -> None:
        run = self._config.stash[RUN]
        self._report = report = make_report(self._config, run, self._results, complete=complete)
        self._save(report)
        broken = bool(self._unwritten) or not all(fact.ok for fact in report.harness)
        self._strict = self._gaps(report) if self._settings.strict else ()
        if session.exitstatus == pytest.ExitCode.OK and (broken or self._strict):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _locate(self, run: Run) -> None:
        """Ask failed paths again while nodes are watched; Ctrl-C ends that, and no more."""
        from pytest_ipv6k8s.plugin.locating import located

        stash, results = self._config.stash, self._results
        try:
            results = located(results, stash[FACTS], self._settings, run.timeouts, run.tell)
        except KeyboardInterrupt:
            run.tell("failed paths are not traced: interrupted")
        stash[TRACED] = {
            new.name: new for old, new in zip(self._results, results, strict=True) if new != old
        }
        self._results = results

    def _pack_bundle(self) -> None:
        """Write the bundle while the run's folder is there; without it, nobody is led to it."""
        bundles = self._config.stash.get(BUNDLES, None)
        red = sum(bool(result.outcome.bundle) for result in self._results)
        if bundles is None or not red:
            return
        try:
            path = bundles.pack(self._results)
        except Exception as trouble:  # it may change no verdict
            self._results = [result.without_bundle() for result in self._results]
            self._bundle = Line(f"bundle   {one_line(str(trouble))}", {"red": True})
        else:
            self._bundle = Line(f"bundle   {path}, red items in it: {red}")

    def _gaps(self, report: Report) -> tuple[str, ...]:
        """Return why a strict run is red beside what is red anyway."""
        skipped = skipped_core(report.checks, self._settings.profile)
        cut_short = "the run did not come to its end"
        number = counted(len(skipped), "core check")
        return (
            *([f"{number} skipped: {terminal.some(skipped)}"] if skipped else ()),
            *([] if report.complete else [cut_short]),
        )

    def _save(self, report: Report) -> None:
        if self._settings.report.redact:
            report = redacted(report)
        for path in self._settings.report.files:
            try:
                save(report, path)
            except HostProblem as problem:
                self._unwritten[path] = str(problem)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the diagnosis, a table by area, and why checks are inconclusive or skipped."""
        report, width = self._report, self._screen.width
        if report is None or self._config.get_verbosity() < -1:
            return
        terminalreporter.section("IPv6 conformance")
        shown = self._config.option.tbstyle not in ("no", "line")
        self._screen.write(terminal.headlines(report, width, shown=shown))
        if self._config.get_verbosity() >= 0:
            self._screen.write(terminal.matrix(report, width))
            self._screen.write(terminal.counts(report, len(self._results)))
            self._screen.write(self._facts(report))
        self._screen.write(self._last_words(report))

    def _facts(self, report: Report) -> Iterator[Line]:
        width = self._screen.width
        yield Line(wrapped(f"probes   {view.probed(report)}", width))
        yield from terminal.claims(report, width)
        yield from terminal.reasons(report, width, verbose=self._config.get_verbosity() > 0)

    def _last_words(self, report: Report) -> Iterator[Line]:
        width, files = self._screen.width, self._settings.report
        for fact in report.harness:
            if not fact.ok:
                text = f"harness  {fact.id} {fact.title}: {fact.actual}"
                yield Line(wrapped(text, width), {"red": True})
        if self._others:
            yield Line(wrapped(f"others   {self._others}", width), {"red": True})
        for path in files.files:
            trouble = self._unwritten.get(path, "")
            yield Line(f"report   {trouble or path}", {"red": bool(trouble)})
        if self._bundle is not None:
            yield self._bundle
        for why in self._strict:
            yield Line(wrapped(f"strict   {why}", width), {"red": True})
        part = "" if report.selection.is_whole else f": {report.selection}"
        yield Line(wrapped(f"result   {report.result.value}{part}", width), {"bold": True})
