"""``--ipv6k8s-pause``: a run stands still at a red check while somebody looks at its probes."""

from __future__ import annotations

import os
import shlex
import sys
from typing import Any

import pytest

from pytest_ipv6k8s import words
from pytest_ipv6k8s.masking import one_line
from pytest_ipv6k8s.plugin.outcome import result_in
from pytest_ipv6k8s.plugin.run_facts import RunFacts
from pytest_ipv6k8s.plugin.state import FACTS, SETTINGS
from pytest_ipv6k8s.probe.probes import ProbePod
from pytest_ipv6k8s.results import ItemResult

_MOST = 4
"""So many probes, and so many questions, are told."""


class Pauses:
    """Stops after each red check until somebody presses Enter.

    Args:
        config: pytest's.

    Raises:
        pytest.UsageError: nobody could press it.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._stays = True
        if getattr(config.option, "numprocesses", None) or getattr(config.option, "tx", None):
            raise pytest.UsageError(
                "--ipv6k8s-pause: with -n several checks run at once. Leave one of them out"
            )
        self._give_stdin_back()
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise pytest.UsageError(
                "--ipv6k8s-pause needs a terminal, at which somebody presses Enter. Leave it "
                "out here; a bundle has what a pause would show: --ipv6k8s-bundle=FOLDER"
            )

    def _give_stdin_back(self) -> None:
        """Make standard input that of the terminal again; pytest takes it with the next test.

        Outside of tests it captures no output, and keeps standard input all the same.
        """
        capture: Any = self._config.pluginmanager.get_plugin("capturemanager")
        if capture is not None:
            capture.suspend_global_capture(in_=True)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Stop where a check is red and nobody waived it, once its line is on the screen."""
        result = result_in(report)
        if result is None or not self._stays or not result.outcome.verdict.is_red:
            return
        waived = {waiver.id for waiver in self._config.stash[SETTINGS].waive}
        if result.check.id not in waived:
            self._pause(result)

    def _pause(self, result: ItemResult) -> None:
        reporter: Any = self._config.pluginmanager.get_plugin("terminalreporter")
        reporter.ensure_newline()
        for line in told(result, self._config.stash[FACTS]):
            reporter.write_line(line)
        reporter.flush()
        self._give_stdin_back()
        try:
            input("Press Enter to go on: ")
        except EOFError:
            self._stays = False


def told(result: ItemResult, facts: RunFacts) -> list[str]:
    """Return what is said at a pause: what failed, where the probes are, and how to look."""
    outcome = result.outcome
    found = outcome.failure.in_short if outcome.failure else outcome.reason
    asked = [one for one in outcome.evidence if one.source in {pod.name for pod in facts.everyone}]
    sources = {one.source for one in asked}
    pods = sorted(facts.everyone, key=lambda pod: pod.name not in sources)[:_MOST]
    questions = dict.fromkeys(f"{one.source} {words.request(one.request)}" for one in asked)
    return [
        f"paused: {result.name} is {outcome.verdict.value}: {one_line(found)}",
        "The probes stay until the run goes on. To look, in another terminal:",
        *(f"  {_shell(pod, facts)}  # {pod.node}" for pod in pods),
        *(_again(question, facts) for question in list(questions)[:_MOST]),
    ]


def _shell(pod: ProbePod, facts: RunFacts) -> str:
    """Return a command; kubectl takes one file by option, and finds several in KUBECONFIG."""
    several = os.pathsep in str(facts.kubeconfig)
    way = _context(facts) if several else f"{_kubeconfig(facts)} {_context(facts)}"
    return f"kubectl {way} -n {pod.namespace} exec -it {pod.name} -- sh"


def _kubeconfig(facts: RunFacts) -> str:
    return f"--kubeconfig {shlex.quote(str(facts.kubeconfig))}"


def _context(facts: RunFacts) -> str:
    return f"--context {shlex.quote(facts.context)}"


def _again(question: str, facts: RunFacts) -> str:
    source = question.split()[0]
    node = facts.where[source]
    allow = " --allow privileged" if source.startswith("host-") else ""
    way = f"{_kubeconfig(facts)} {_context(facts)} --node {shlex.quote(node)}{allow}"
    return f"  ipv6k8s ask {way} {shlex.quote(one_line(question))}"
