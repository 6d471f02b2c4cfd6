"""What a run shows on the terminal while it goes on: steps, and a line for each check."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from pytest_ipv6k8s import words
from pytest_ipv6k8s.masking import one_line
from pytest_ipv6k8s.plugin.steps import clock
from pytest_ipv6k8s.reports.terminal import MARKUP, Line
from pytest_ipv6k8s.results import ItemResult
from pytest_ipv6k8s.wrapping import cut, width


class Screen:
    """pytest's terminal, as far as there is one.

    Args:
        config: pytest's.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._alone = False

    @property
    def _reporter(self) -> Any:
        return self._config.pluginmanager.get_plugin("terminalreporter")

    @property
    def is_terminal(self) -> bool:
        """Whether somebody looks at it, and not a log file."""
        reporter = self._reporter
        return reporter is not None and bool(reporter.isatty())

    @property
    def width(self) -> int:
        """How long a line may be."""
        return int(self._reporter._tw.fullwidth)

    def begin(self) -> None:
        """Let lines be as long as logs may have them where there is no terminal."""
        if self._reporter is not None and not self.is_terminal:
            self._reporter._tw.fullwidth = self._reporter._screen_width = width()

    def belongs_to_checks(self) -> None:
        """Leave out what pytest itself would show of each item: only checks run."""
        reporter = self._reporter
        if reporter is not None:
            self._alone = True
            reporter.showfspath = reporter._show_progress_info = False
            self._config._inicache["verbosity_test_cases"] = -1

    def check(self, result: ItemResult, *, number: int, total: int) -> None:
        """Write the line of a check that has come to its end.

        Args:
            result: what became of it.
            number: how many have ended, with this one.
            total: how many are to run; 0 where nobody knows.
        """
        reporter, verbosity = self._reporter, self._config.get_verbosity()
        if reporter is None or verbosity < 0:
            return
        outcome = result.outcome
        family = outcome.family.value if outcome.family else ""
        end = self._end(number, total)
        reporter.ensure_newline()
        reporter.write(f"{result.check.id:8} {family:4} ")
        reporter.write(f"{outcome.verdict.value:14}", **MARKUP[outcome.verdict])
        text = f" {outcome.seconds:6.2f} s  "
        room = self.width - 28 - len(text) - len(end) - 1
        reporter.write_line(f"{text}{cut(result.check.requirement, room):{room}}{end}".rstrip())
        if verbosity > 0:
            for line in _evidence(result, verbosity):
                reporter.write_line("         " + cut(line, self.width - 9))

    def _end(self, number: int, total: int) -> str:
        places = len(str(total))
        count = f" [{number:{places}}/{total}]" if total else ""
        return count if self.is_terminal else f"{count} {clock()}"

    def write(self, lines: Iterable[Line]) -> None:
        """Write lines that are made for this width."""
        for line in lines:
            self._reporter.write_line(line.text, **line.markup)


def _evidence(result: ItemResult, verbosity: int) -> list[str]:
    outcome = result.outcome
    if not outcome.evidence:
        return [one_line(outcome.reason)] if outcome.reason else []
    more = f"{outcome.answers} answers, " if outcome.answers > 1 else ""
    kept = outcome.evidence if verbosity > 1 else outcome.evidence[:1]
    return [
        one_line(f"{more}{one.source}: {words.request(one.request)} → {words.answer(one.answer)}")
        for one in kept
    ]
