"""What is being done before and after the checks: a line for each step, with the time it takes."""

from __future__ import annotations

import datetime
import re
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from pytest_ipv6k8s.masking import masked, one_line
from pytest_ipv6k8s.wrapping import cut, wrapped

_CLEAR = "\r\x1b[2K"
_WORTH_TELLING = 2.0
"""Seconds from which on it is said how long a step takes."""
_IN_LOG_EVERY = 60.0
"""Seconds after which a log is told that a step goes on."""

_WORK = re.compile(r"(?:: |; )\w+ing\b")
"""What takes time says what is done: "making …", "deploying …"."""

_COMMAND = re.compile(r"ipv6k8s: ipv6k8s \w+ --")
"""A command to be copied is left to the terminal to break: it knows that it is one line."""


class Steps:
    """Tells the steps of a run.

    On a terminal the line of the step that goes on counts its seconds, and has the last line of the
    program that it runs; in a log each line has its time, and a step that takes long is told again
    each minute, so that nobody takes it for dead. Safe to use from threads.

    Args:
        reporter: pytest's terminal; None where there is none.
    """

    def __init__(self, reporter: Any) -> None:
        self._reporter = reporter
        self._lock = threading.RLock()
        self._line = self._detail = ""
        self._since = 0.0
        self._over = threading.Event()

    def __call__(self, line: str) -> None:
        """Begin a step; the one before has ended."""
        if self._reporter is None:
            return
        with self._lock:
            self.end()
            self._reporter.ensure_newline()
            shown = f"ipv6k8s: {one_line(masked(line))}"
            self._line, self._since, self._over = shown, time.monotonic(), threading.Event()
            terminal = self._reporter.isatty()
            tell, every = (self._count, 1.0) if terminal else (self._log, _IN_LOG_EVERY)
            tell()
            if terminal or _WORK.search(shown):
                go_on = (self._over, tell, every)
                threading.Thread(target=self._go_on, args=go_on, daemon=True).start()

    def detail(self, line: str) -> None:
        """Note what the program says which the step runs; nothing when that has ended.

        Signs whose width terminals do not agree on, such as those of kind, are left out.
        """
        with self._lock:
            self._detail = one_line(masked(line).encode("ascii", "ignore").decode())

    def end(self) -> None:
        """End the step that goes on, if one does; its line stays."""
        with self._lock:
            self._over.set()
            if self._line and self._reporter.isatty():
                took = self._took() if _WORK.search(self._line) else ""
                text = self._line + took
                if not _COMMAND.match(text):
                    text = wrapped(text, self._width)
                self._reporter.write(f"{_CLEAR}{text}\n", flush=True)
            self._line = self._detail = ""

    @property
    def _width(self) -> int:
        return int(self._reporter._tw.fullwidth)

    def _took(self) -> str:
        seconds = time.monotonic() - self._since
        return f" ({seconds:.0f} s)" if seconds >= _WORTH_TELLING else ""

    def _go_on(self, over: threading.Event, tell: Callable[[], None], every: float) -> None:
        while not over.wait(every):
            with self._lock:
                if not over.is_set():
                    tell()

    def _log(self) -> None:
        detail = f": {self._detail}" if self._detail else ""
        self._reporter.write(f"{clock()} {self._line}{self._took()}{detail}\n", flush=True)

    def _count(self) -> None:
        end, detail = self._took(), f"  {self._detail}" if self._detail else ""
        room = self._width - len(end) - 1
        line = cut(self._line, max(room // 2, room - len(detail)))
        shown = f"{line}{end}{cut(detail, room - len(line))}"
        self._reporter.write(f"{_CLEAR}{shown}", flush=True)


def clock() -> str:
    """Return the time of the day, for a line of a log."""
    return datetime.datetime.now().astimezone().strftime("%H:%M:%S")


STEPS = pytest.StashKey[Steps]()
