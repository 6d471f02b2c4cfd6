"""Where output goes: a line for each check, a summary, and the report files."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timezone
from typing import Any

import pytest

from pytest_ipv6k8s import __version__
from pytest_ipv6k8s.catalogue import SUITE
from pytest_ipv6k8s.options import OPTIONS
from pytest_ipv6k8s.plugin.collection import declared_by
from pytest_ipv6k8s.plugin.run import RUN, Run
from pytest_ipv6k8s.plugin.state import COST, FACTS, Cost
from pytest_ipv6k8s.plugin.xdist import is_worker
from pytest_ipv6k8s.reports import HarnessFact, Report, fold_records, save
from pytest_ipv6k8s.settings import Settings
from pytest_ipv6k8s.verdicts import Verdict

_MARKUP: dict[Verdict, dict[str, bool]] = {
    Verdict.PASS: {"green": True},
    Verdict.FAIL: {"red": True, "bold": True},
    Verdict.INCONCLUSIVE: {"yellow": True, "bold": True},
    Verdict.INFORMATIONAL: {"cyan": True},
    Verdict.SKIP: {"yellow": True},
    Verdict.NOT_APPLICABLE: {"light": True},
}


class Reporting:
    """Collects the records, in the process that talks to the user."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self._config = config
        self._settings = settings
        self._records: list[dict[str, Any]] = []
        self._report: Report | None = None

    def pytest_report_header(self) -> list[str]:
        """Show each setting that was made, with its source."""
        shown = [
            f"{option.name}={_shown(getattr(self._settings, option.field))} "
            f"(from {self._settings.sources[option.field]})"
            for option in OPTIONS
            if option.field in self._settings.sources
        ]
        lines = [f"ipv6k8s: {__version__}, {', '.join(shown)}"]
        if not self._settings.asked_on_command_line:
            lines.append("ipv6k8s: add --pyargs pytest_ipv6k8s.conformance for the built-in suite")
        return lines

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave file names out when only checks run: each prints a line of its own."""
        if items and all(declared_by(item) for item in items):
            self._hide_file_names()

    def pytest_sessionstart(self) -> None:
        """The same for xdist's controller, which collects nothing."""
        if SUITE in self._config.args:
            self._hide_file_names()

    def _hide_file_names(self) -> None:
        reporter: Any = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.showfspath = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Count a check once, under its verdict; its line is ours to print."""
        category = getattr(report, "ipv6k8s_category", None)
        return None if category is None else (category, "", category.upper())

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Print the line of a check that has come to its end."""
        record = getattr(report, "ipv6k8s", None)
        if record is None or is_worker(self._config):
            return
        self._records.append(record)
        reporter: Any = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None or self._config.get_verbosity() < 0:
            return
        verdict = Verdict(record["verdict"])
        reporter.ensure_newline()
        reporter.write(f"{record['check']['id']:8} {record['family']:5} ")
        reporter.write(f"{verdict.value:14}", **_MARKUP[verdict])
        reporter.write_line(f" {record['seconds']:7.2f} s  {record['check']['requirement']}")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Clean up, then write the reports; strict settings may turn the run red."""
        run = self._config.stash.get(RUN, None)
        if run is None or is_worker(self._config):
            return
        run.close()
        if not self._records:
            return
        self._report = self._make_report(run, complete=exitstatus in (0, 1))
        for path in self._settings.report:
            save(self._report, path)
        broken = not all(fact.holds for fact in self._report.harness)
        gaps = self._settings.strict and self._report.result != "success"
        if session.exitstatus == pytest.ExitCode.OK and (broken or gaps):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _make_report(self, run: Run, *, complete: bool) -> Report:
        facts = self._config.stash[FACTS]
        waivers = {waiver.id: waiver.reason for waiver in self._settings.waive}
        return Report(
            date=datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            suite={"name": "pytest-ipv6k8s", "version": __version__},
            cluster={
                "provider": self._settings.provider_name,
                "kubernetes": facts.inventory.version,
                "stack": facts.stack.value,
                "cni": facts.inventory.cni,
                "proxy": facts.inventory.proxy,
                "nodes": [
                    {
                        "name": node.name,
                        "internalIPs": list(node.internal_ips),
                        "kubelet": node.kubelet,
                        "kernel": node.kernel,
                        "runtime": node.runtime,
                    }
                    for node in facts.inventory.nodes
                ],
            },
            settings={
                name: {"value": _shown(getattr(self._settings, name)), "source": source}
                for name, source in sorted(self._settings.sources.items())
            },
            checks=fold_records(self._records, waivers),
            cost=self._cost(run.cost),
            harness=(*run.harness, *self._own_facts()),
            complete=complete,
        )

    def _cost(self, before_and_after: Cost) -> dict[str, int]:
        facts, total = self._config.stash[FACTS], Cost()
        total.add(before_and_after)
        total.add(self._config.stash[COST])
        return {
            "apiRequests": total.api_requests,
            "execSessions": total.exec_sessions,
            "probePods": len(facts.pods) + len(facts.hosts),
        }

    def _own_facts(self) -> list[HarnessFact]:
        reached = [r for r in self._records if r["verdict"] in ("pass", "fail", "informational")]
        vacuous = [r["check"]["id"] for r in reached if not r["answers"]]
        least = min((r["answers"] for r in reached), default=0)
        broken = [f"{r['check']['id']}: {r['teardown']}" for r in self._records if "teardown" in r]
        seen = f"{len(self._records)} items; {'; '.join(broken) or 'no teardown broke'}"
        return [
            HarnessFact(
                id="META-02",
                title="vacuity",
                holds=not vacuous,
                seen=", ".join(vacuous) or f"every verdict rests on at least {least} answers",
            ),
            HarnessFact(id="META-07", title="report", holds=not broken, seen=seen),
        ]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print a table by area, then what is inconclusive or skipped and why."""
        report = self._report
        if report is None:
            return
        terminalreporter.section("IPv6 conformance")
        _print_table(terminalreporter, report)
        _print_reasons(terminalreporter, report)
        for fact in report.harness:
            if not fact.holds:
                terminalreporter.write_line(f"harness  {fact.id} {fact.title}: {fact.seen}")
        for path in self._settings.report:
            terminalreporter.write_line(f"report   {path}")
        terminalreporter.write_line(f"result   {report.result}", bold=True)


def _print_table(out: Any, report: Report) -> None:
    names = [verdict.value for verdict in Verdict]
    out.write_line(f"{'area':9}" + "".join(f"{name:>15}" for name in names))
    for area, counts in report.areas.items():
        out.write_line(f"{area:9}" + "".join(f"{counts[name] or '.':>15}" for name in names))
    out.write_line(f"{'all':9}" + "".join(f"{report.summary[name]:>15}" for name in names))


def _print_reasons(out: Any, report: Report) -> None:
    for check in report.checks:
        if check["verdict"] == "inconclusive":
            out.write_line(f"inconclusive  {check['id']}: {check['reason']}", yellow=True)
        if "waived" in check:
            out.write_line(f"waived  {check['id']} ({check['verdict']}): {check['waived']}")
    skipped = Counter(c["reason"] for c in report.checks if c["verdict"] == "skip")
    for reason in sorted(skipped):
        ids = [c["id"] for c in report.checks if c["verdict"] == "skip" and c["reason"] == reason]
        out.write_line(f"skipped  {', '.join(ids)}: {reason}")


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(_shown(item) for item in value)
    return str(getattr(value, "value", value))
