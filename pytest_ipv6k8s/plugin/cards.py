"""A failed check as pytest shows it: its id as the heading, in short, and below it all in words."""

from __future__ import annotations

import itertools
import os
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import pytest

from pytest_ipv6k8s.plugin.outcome import category_in, explain, result_in
from pytest_ipv6k8s.plugin.state import TRACED, is_worker
from pytest_ipv6k8s.wrapping import wrapped, wrapped_command

_LOOK = "  look      "


@dataclass
class Crash:
    """What pytest takes for the place of a failure: with ``--tb=line`` and in its summary."""

    name: str
    message: str

    def __str__(self) -> str:
        return f"{self.name}: {self.message}"


@dataclass
class Card:
    """A failure in words; in the place of a traceback.

    Attributes:
        text: all of it, a line for each thing.
        reprcrash: the same in one line.
        in_short: whether the one line is all that is wanted.
    """

    text: str
    reprcrash: Crash
    in_short: bool = False

    def __str__(self) -> str:
        return self.text

    def toterminal(self, writer: Any) -> None:
        """Write it below its heading, as wide as the terminal is."""
        for line in [] if self.in_short else self.text.splitlines()[1:]:
            if line.startswith(_LOOK):
                shown = wrapped_command(_LOOK, line.removeprefix(_LOOK), writer.fullwidth)
            else:
                shown = wrapped(line, writer.fullwidth)
            writer.line(shown)


class Cards:
    """Lets pytest's own sections show checks: by id, as cards, and what was skipped in our summary.

    Args:
        config: pytest's.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._names: dict[str, str] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Put a card into the place of a failed check's text; note what the check is called."""
        if is_worker(self._config):
            return
        line = getattr(report, "ipv6k8s_line", None)
        if line is not None and isinstance(report.longrepr, str):
            name = report.longrepr.partition("\n")[0]
            in_short = self._config.option.tbstyle == "line"
            card = Card(report.longrepr, Crash(name, line), in_short=in_short)
            report.longrepr = card  # type: ignore[assignment]
        result = result_in(report)
        if result is not None:
            self._names[report.nodeid] = result.name

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> Generator[None]:
        """Change what the sections show, and nothing that is counted.

        Nobody tells reports apart by their node ids any more.
        """
        stats, traced = terminalreporter.stats, self._config.stash.get(TRACED, {})
        for report in itertools.chain.from_iterable(stats.values()):
            name = self._names.get(getattr(report, "nodeid", ""))
            if name is not None and category_in(report):
                self._name(report, name)
                if name in traced and isinstance(report.longrepr, Card):
                    report.longrepr.text = explain(traced[name])
        skipped = stats.get("skipped")
        if skipped:
            stats["skipped"] = [report for report in skipped if category_in(report) is None]
        try:
            return (yield)
        finally:
            if skipped:
                stats["skipped"] = skipped

    def _name(self, report: pytest.TestReport, name: str) -> None:
        path, line, _ = report.location
        report.location = (path, line, name)
        # pytest shows a path from where it was started, not from its root.
        report.nodeid = os.path.relpath(
            self._config.invocation_params.dir / name, self._config.rootpath
        )
