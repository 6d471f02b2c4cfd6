"""A failed check on a terminal: no line is longer than it is wide."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_ipv6k8s.plugin.cards import Card, Crash
from pytest_ipv6k8s.plugin.outcome import explain
from tests.documents import FAILURE, result

LONG = "Let DaemonSet kube-system/kube-proxy run on node b: " + "`kubectl get pods -A` tells. " * 6


class Terminal:
    """What pytest hands to a representation, so many columns wide."""

    def __init__(self, width: int) -> None:
        self.fullwidth = width
        self.lines: list[str] = []

    def line(self, text: str, **markup: Any) -> None:
        """Keep a text of one or several lines."""
        self.lines += text.splitlines()


@pytest.mark.parametrize("width", [80, 100, 140])
def test_a_card_is_as_wide_as_the_terminal(width: int) -> None:
    failure = replace(
        FAILURE, facts=(LONG,), fixes=(LONG,), causes=(LONG, "short"), look="ip -6 route; " * 12
    )
    made = result("SVC-04", "fail", "IPv6", failure=failure)
    made = replace(made, outcome=replace(made.outcome, bundle="bundles/" + "b" * 40))
    terminal = Terminal(width)

    Card(explain(made), Crash("SVC-04", "no answer")).toterminal(terminal)

    shown = {line.split()[0] for line in terminal.lines if line[2:3].strip()}
    assert {"found", "causes", "fix", "look", "more", "bundle"} <= shown
    assert max(map(len, terminal.lines)) <= width, terminal.lines
