"""Steps of a run: a clock in logs, seconds that go on at a terminal."""

from __future__ import annotations

import io
import re
import threading

import pytest

from pytest_ipv6k8s.plugin import steps


class _Reporter:
    """As much of pytest's as is used."""

    def __init__(self, *, terminal: bool) -> None:
        self.out = io.StringIO()
        self._tw = type("Writer", (), {"fullwidth": 80})
        self.isatty = lambda: terminal

    def ensure_newline(self) -> None:
        pass

    def write(self, text: str, *, flush: bool = False) -> None:
        self.out.write(text)


def test_a_log_has_the_time_of_each_step_and_no_escapes() -> None:
    reporter = _Reporter(terminal=False)
    tell = steps.Steps(reporter)

    tell("making kind cluster")
    tell.end()

    assert re.fullmatch(r"\d\d:\d\d:\d\d ipv6k8s: making kind cluster\n", reporter.out.getvalue())


@pytest.mark.parametrize(
    ("line", "left"),
    [("making kind cluster", "making kind cluster (9 s)"), ("probes ready", "probes ready")],
)
def test_a_terminal_keeps_the_step_with_the_seconds_that_it_took(
    line: str, left: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reporter, now = _Reporter(terminal=True), [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    tell = steps.Steps(reporter)

    tell(line)
    now[0] = 9.0
    tell.end()
    tell.end()

    assert reporter.out.getvalue().splitlines()[-1].rpartition("\x1b[2K")[2] == f"ipv6k8s: {left}"
    assert reporter.out.getvalue().count("\n") == 1


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (" • Preparing nodes 📦 \x1b[31m", "making kind cluster (9 s)  Preparing nodes \\x1b[31m"),
        ("x" * 200, f"making kind cluster (9 s)  {'x' * 42}…"),
        ("", "making kind cluster (9 s)"),
    ],
)
def test_a_terminal_shows_what_the_program_says_that_a_step_runs(
    said: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reporter, now = _Reporter(terminal=True), [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    tell = steps.Steps(reporter)

    tell("making kind cluster")
    tell.detail(said)
    now[0] = 9.0
    tell._count()
    seen = reporter.out.getvalue().rpartition("\x1b[2K")[2]
    tell.end()

    assert seen == f"ipv6k8s: {shown}"
    assert len(seen) < 80
    assert reporter.out.getvalue().endswith("ipv6k8s: making kind cluster (9 s)\n")


def test_a_log_has_nothing_of_what_programs_say() -> None:
    reporter = _Reporter(terminal=False)
    tell = steps.Steps(reporter)

    tell("making kind cluster")
    tell.detail("Preparing nodes")
    tell.end()

    assert "Preparing" not in reporter.out.getvalue()


@pytest.mark.parametrize(("line", "again"), [("making kind cluster", True), ("ready", False)])
def test_a_log_is_told_that_a_long_step_goes_on_and_what_its_program_says(
    line: str, again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    reporter, told = _Reporter(terminal=False), threading.Event()
    monkeypatch.setattr(steps, "_IN_LOG_EVERY", 0.05)
    monkeypatch.setattr(steps, "_WORTH_TELLING", 0.0)
    tell = steps.Steps(reporter)

    tell(line)
    tell.detail("Preparing nodes")
    told.wait(0.4)
    tell.end()
    logged = reporter.out.getvalue()
    told.wait(0.2)

    pattern = rf"\d\d:\d\d:\d\d ipv6k8s: {line} \(0 s\): Preparing nodes\n"
    assert bool(re.search(pattern, logged)) is again
    assert reporter.out.getvalue() == logged


def test_a_command_to_be_copied_stays_one_line() -> None:
    reporter, command = _Reporter(terminal=True), f"ipv6k8s run --kubeconfig /{'long/' * 20}k"
    tell = steps.Steps(reporter)

    tell(command)
    tell.end()

    assert reporter.out.getvalue().endswith(f"ipv6k8s: {command}\n")


def test_without_a_terminal_reporter_nothing_is_told() -> None:
    steps.Steps(None)("making kind cluster")
