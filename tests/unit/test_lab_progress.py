"""What `lab up` says while it works, and how its lanes run."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ci.lab import progress, runner
from ci.lab.progress import Work, time_left
from ci.lab.runner import Display
from ci.lab.settings import Layout
from ci.lab.steps import LabProblem, Log, Step

ESTIMATES = {"kind": 60, "kubernetes": 300, "node": 40}


class Terminal(io.StringIO):
    """Takes what is written, as a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(cache=tmp_path)
    made.logs.mkdir()
    return made


def _work(*finished: str, elapsed: float, **running: float) -> Work:
    return Work(estimates=ESTIMATES, finished=frozenset(finished), running=running, elapsed=elapsed)


def _step(name: str, act: Callable[[Log], None], *, done: Callable[[], bool] | None = None) -> Step:
    return Step(name=name, done=done or (lambda: False), act=act, estimate=10)


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        (_work(elapsed=0), 400),
        (_work("kind", elapsed=60), 340),
        (_work("kind", elapsed=120), 680),
        (_work("kind", elapsed=30), 170),
        (_work("kind", elapsed=60, kubernetes=0.0), 340),
        (_work("kind", elapsed=160, kubernetes=100.0), 240),
        (_work(elapsed=60, kind=60.0, kubernetes=60.0), 340),
        (_work("kind", "kubernetes", "node", elapsed=400), 0),
    ],
)
def test_the_rest_is_estimated_at_the_pace_so_far(work: Work, expected: float) -> None:
    assert time_left(work) == pytest.approx(expected)


def test_a_step_that_overruns_slows_the_rest_down_within_reason() -> None:
    assert time_left(_work("kind", elapsed=720, kubernetes=660.0)) == pytest.approx(80)
    assert time_left(_work("kind", elapsed=36_000, kubernetes=36_000.0)) == pytest.approx(200)


def test_the_lines() -> None:
    assert progress.opening([300, 240]) == (
        "2 steps, about 9 min on 2 cores, this once; the next time takes seconds"
    )
    assert progress.opening([4]) == "1 step, less than a minute on 2 cores"
    heading = progress.heading(5, 11, "kubernetes-v1.36.3", 541)
    assert heading == "step 5 of 11: kubernetes-v1.36.3, about 9 min left"
    assert progress.summary({"kind": 29.4, "kubernetes": 312}) == [
        "  kind                29 s",
        "  kubernetes    5 min 12 s",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.34, "0.3 s"), (59.6, "1 min 0 s"), (45, "45 s"), (312, "5 min 12 s")]
)
def test_measured_times(seconds: float, text: str) -> None:
    assert progress.exactly(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(7.9, "0:07"), (312, "5:12"), (3600, "60:00")])
def test_running_times(seconds: float, text: str) -> None:
    assert progress.clock(seconds) == text


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", ""),
        ("one\ntwo\n\n  \n", "two"),
        ("10 %\r50 %\r", "50 %"),
        ("\x1b[1mbold\x1b[0m\x07\n", "bold"),
        ("x" * 9000 + "\nend", "end"),
    ],
)
def test_the_last_line_of_a_log(tmp_path: Path, content: str, expected: str) -> None:
    log = tmp_path / "log"
    log.write_text(content, newline="")
    assert progress.last_line(log) == expected
    assert progress.last_line(tmp_path / "none") == ""


@pytest.mark.parametrize(("width", "shown"), [(9, "k8s.io/a…"), (20, "k8s.io/api"), (0, "…")])
def test_a_line_is_cut_to_the_terminal(width: int, shown: str) -> None:
    assert progress.cut("k8s.io/api", width) == shown


def test_nothing_is_said_when_all_is_there(
    layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    runner.run([[[_step("kind", _never, done=lambda: True)]]], layout)
    assert capsys.readouterr().out == ""


def test_lanes_run_beside_each_other_and_stages_one_after_the_other(
    layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    both, order = threading.Barrier(2), []

    def meet(log: Log) -> None:
        both.wait(timeout=10)

    def remember(log: Log) -> None:
        order.append(log.path.name)

    first = [[_step("a", meet), _step("b", remember)], [_step("c", meet)]]
    runner.run([first, [[_step("last one", remember)]]], layout)
    assert order == ["b.log", "last-one.log"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "4 steps, about 1 min on 2 cores"
    assert lines[4].startswith("step 4 of 4: last one, ")
    assert sorted(line.split()[0] for line in lines[5:]) == ["a", "b", "c", "last"]


def test_a_failure_keeps_what_runs_beside_it_and_starts_nothing_more(layout: Layout) -> None:
    started, failed, finished = threading.Event(), threading.Event(), []

    def fail(log: Log) -> None:
        started.wait(timeout=10)
        log.write("no space left")
        raise LabProblem("tar ended with status 2")

    def slow(log: Log) -> None:
        started.set()
        failed.wait(timeout=10)
        finished.append(log.path.name)

    def run() -> None:
        lanes = [[_step("slow", slow), _step("after", _never)], [_step("root", fail)]]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Display, "fail", lambda display, step: failed.set())
            runner.run([lanes, [[_step("nodes", _never)]]], layout)

    with pytest.raises(LabProblem, match=r"step 'root': tar ended .*\n  \| no space left"):
        run()
    assert finished == ["slow.log"]


def test_a_failure_is_said_at_once_with_what_is_waited_for(layout: Layout) -> None:
    out = io.StringIO()
    slow, root = _step("slow", _never), _step("root", _never)
    display = Display([slow, root], layout, out)
    for step in (slow, root):
        display.start(step)
    display.fail(root)
    assert out.getvalue().endswith("\nroot failed; slow is finished first, to be kept\n")


def test_a_terminal_has_one_line_that_is_written_again(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = Terminal()
    step = _step("kubernetes", _never)
    display = Display([step], layout, out)
    display.start(step).write("k8s.io/kubernetes/pkg/kubelet/cm/devicemanager")
    display._show_log()
    assert out.getvalue().endswith("\r\x1b[K\x1b[2m  kubernetes 0:00 k8s.io/kubernetes/pk…\x1b[0m")
    display.say("done")
    assert out.getvalue().endswith("\r\x1b[Kdone\n")


def test_without_a_terminal_there_are_plain_lines(layout: Layout) -> None:
    out = io.StringIO()
    step = _step("kubernetes", _never)
    display = Display([step], layout, out)
    display.start(step).write("k8s.io/api")
    display._show_log()
    display.fail(step)
    assert out.getvalue().splitlines()[1:] == [
        "  kubernetes 0:00 k8s.io/api",
        "kubernetes failed",
    ]


def _never(log: Log) -> None:
    pytest.fail("this step must not run")
