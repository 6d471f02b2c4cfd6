"""Runs steps: lanes beside each other, one step after the other in each, and says how far it is."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TextIO

from ci.lab import progress
from ci.lab.progress import Work
from ci.lab.settings import Layout
from ci.lab.steps import LabProblem, Log, Step

LOG_LINES_SHOWN = 20
LINE_SECONDS = 1.0
"""How often the line on a terminal is written again."""
PLAIN_LINE_SECONDS = 30.0
"""How often a line is added where there is no terminal."""

Lane = Sequence[Step]
Stage = Sequence[Lane]
"""Lanes that run beside each other; the next stage starts when all have ended."""


def run(stages: Sequence[Stage], layout: Layout) -> None:
    """Run every step whose result is missing.

    Raises:
        LabProblem: a step failed; what runs beside it is finished first, so that it is kept.
    """
    layout.logs.mkdir(parents=True, exist_ok=True)
    layout.outputs.mkdir(parents=True, exist_ok=True)
    missing = [[[step for step in lane if not step.done()] for lane in stage] for stage in stages]
    steps = [step for stage in missing for lane in stage for step in lane]
    if not steps:
        return
    display = Display(steps, layout, sys.stdout)
    display.say(progress.opening([step.estimate for step in steps]))
    with display:
        for stage in missing:
            _run_stage(stage, display)
    display.say("\n".join(progress.summary(display.taken)))


def _run_stage(stage: Stage, display: Display) -> None:
    stopping = threading.Event()
    with ThreadPoolExecutor(max_workers=max(len(stage), 1)) as pool:
        lanes = [pool.submit(_run_lane, lane, display, stopping) for lane in stage]
        try:
            for lane in lanes:
                lane.exception()
        except BaseException:
            stopping.set()
            raise
    problems = [problem for lane in lanes if (problem := lane.exception()) is not None]
    if problems:
        raise problems[0]


def _run_lane(lane: Lane, display: Display, stopping: threading.Event) -> None:
    for step in lane:
        if stopping.is_set():
            return
        log = display.start(step)
        try:
            if not step.done():
                step.act(log)
        except Exception as problem:
            stopping.set()
            display.fail(step)
            raise LabProblem(_explain(step, log, problem)) from problem
        display.finish(step)


def _explain(step: Step, log: Log, problem: Exception) -> str:
    lines = log.path.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
    shown = "\n".join(f"  | {line}" for line in lines)
    return f"step '{step.name}': {problem}\n{shown}\n  log: {log.path}"


class Display:
    """Writes the lines; used by all lanes at once."""

    def __init__(self, steps: Sequence[Step], layout: Layout, out: TextIO) -> None:
        self.taken: dict[str, float] = {}
        self._estimates = {step.name: step.estimate for step in steps}
        self._layout = layout
        self._out = out
        self._terminal = out.isatty()
        self._colours = self._terminal and "NO_COLOR" not in os.environ
        self._started = time.monotonic()
        self._running: dict[str, float] = {}
        self._begun = 0
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Display:
        self._ticker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._ticker.join()

    def start(self, step: Step) -> Log:
        """Say that a step begins; return its log, empty."""
        log = Log(path=self._log(step.name))
        log.path.write_text("")
        with self._lock:
            self._begun += 1
            self._running[step.name] = time.monotonic()
            left = progress.time_left(self._work())
            count = len(self._estimates)
            self._write(progress.heading(self._begun, count, step.name, left))
        return log

    def finish(self, step: Step) -> None:
        """Remember how long a step took."""
        with self._lock:
            self.taken[step.name] = time.monotonic() - self._running.pop(step.name)

    def fail(self, step: Step) -> None:
        """Say at once that a step failed, and what is waited for."""
        with self._lock:
            del self._running[step.name]
            others = ", ".join(self._running)
            wait = f"; {others} is finished first, to be kept" if others else ""
            self._write(self._painted(f"{step.name} failed{wait}", "31"))

    def say(self, text: str) -> None:
        """Write lines of another kind."""
        with self._lock:
            self._write(text)

    def _tick(self) -> None:
        pause = LINE_SECONDS if self._terminal else PLAIN_LINE_SECONDS
        while not self._closed.wait(pause):
            with self._lock:
                if self._running:
                    self._show_log()

    def _show_log(self) -> None:
        """Show the step whose log is the youngest: it is the one that has something to say."""
        name = max(self._running, key=lambda name: _modified(self._log(name)))
        running = progress.clock(time.monotonic() - self._running[name])
        line = f"  {name} {running} {progress.last_line(self._log(name))}"
        if not self._terminal:
            self._write(progress.cut(line, 200))
            return
        width = shutil.get_terminal_size().columns - 1
        self._out.write("\r\x1b[K" + self._painted(progress.cut(line, width), "2"))
        self._out.flush()

    def _write(self, text: str) -> None:
        erase = "\r\x1b[K" if self._terminal else ""
        self._out.write(f"{erase}{text}\n")
        self._out.flush()

    def _painted(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._colours else text

    def _log(self, name: str) -> Path:
        return self._layout.logs / f"{name.replace(' ', '-')}.log"

    def _work(self) -> Work:
        now = time.monotonic()
        return Work(
            estimates=self._estimates,
            finished=frozenset(self.taken),
            running={name: now - started for name, started in self._running.items()},
            elapsed=now - self._started,
        )


def _modified(log: Path) -> float:
    return log.stat().st_mtime
