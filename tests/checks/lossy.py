"""Lossy worlds: a seeded part of what probes ask gets lost, as a real network loses it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pytest_ipv6k8s.probe.probes import ProbePod
from tests.checks.world import World

Picks = Callable[[ProbePod, Any], bool]
SYNS = (0.0, 1.0, 3.0, 7.0)
"""When a kernel sends a SYN that is not answered (RFC 6298: one second, doubled)."""


def everywhere(pod: ProbePod, request: Any) -> bool:
    """Pick all questions."""
    return True


def lose(world: World, rate: float, seed: int, only: Picks = everywhere) -> None:
    """Lose a part of the round trips of the questions that ``only`` picks."""
    chance = random.Random(seed)

    def lost(count: int) -> int:
        return sum(chance.random() < rate for _ in range(count))

    def connect(request: Any, answer: Any) -> Any:
        tries = sum(at < request.timeout for at in SYNS)
        return timed_out(answer) if lost(tries) == tries else answer

    changes: dict[str, Callable[[Any, Any], Any]] = {
        "tcp_connect": connect,
        "udp_exchange": lambda q, a: replace(a, echoed=max(a.echoed - lost(q.count), 0)),
        "udp_loss": lambda q, a: replace(a, lost=lost(q.count)),
        "tcp_loss": lambda q, a: replace(a, lossy=lost(q.count)),
    }
    for operation, change in changes.items():
        world.override(operation, _where(only, change))


def kill_flows(world: World, only: Picks = everywhere) -> None:
    """Lose one flow in two as a whole, as where one of two equal routes leads nowhere."""
    turn = [0]

    def every_other(answer: Any, lost: Any) -> Any:
        turn[0] += 1
        return lost if turn[0] % 2 else answer

    changes: dict[str, Callable[[Any, Any], Any]] = {
        "tcp_connect": lambda q, a: every_other(a, timed_out(a)),
        "udp_exchange": lambda q, a: every_other(a, replace(a, echoed=0, error="ETIMEDOUT")),
        "udp_loss": lambda q, a: replace(a, sent=200, lost=100, silent=(4001, 4003)),
        "tcp_loss": lambda q, a: replace(
            a, trips=1520, lossy=16, failed=16, failures=("4001: ETIMEDOUT",)
        ),
    }
    for operation, change in changes.items():
        world.override(operation, _where(only, change))


def timed_out(answer: Any) -> Any:
    """Return what becomes of a connection whose packets all get lost."""
    return replace(answer, connected=False, echoed=False, pod="", seen_source="", error="ETIMEDOUT")


def _where(only: Picks, change: Callable[[Any, Any], Any]) -> Any:
    def answer(pod: ProbePod, request: Any, honest: Any) -> Any:
        return change(request, honest) if only(pod, request) else honest

    return answer
