"""Many look-ups: each counted once, in time, late or in vain."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from pytest_ipv6k8s.agent import sockets
from pytest_ipv6k8s.agent.ops import lookups


def test_each_look_up_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    turns, lock = iter(range(100)), threading.Lock()

    def resolve(name: str, timeout: float) -> list[str]:
        with lock:
            turn = next(turns)
        if turn == 0:
            raise socket.gaierror(socket.EAI_AGAIN, "try again")
        if turn == 1:
            raise TimeoutError("no answer")
        if turn == 2:
            threading.Event().wait(0.3)
        return ["fd00::2", "10.0.0.1"]

    monkeypatch.setattr(sockets, "resolve", resolve)

    answer = lookups.perform(lookups.Request("a.", 40, limit=0.25, at_once=4))

    assert answer.in_time == {"10.0.0.1 fd00::2": 37}
    assert answer.late == {"10.0.0.1 fd00::2": 1}
    assert sum(answer.errors.values()) == 2
    assert answer.longest >= 0.3


def test_none_begins_when_the_time_is_nearly_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(name: str, timeout: float) -> list[str]:
        threading.Event().wait(0.6)
        return ["fd00::1"]

    monkeypatch.setattr(sockets, "resolve", resolve)
    started = time.monotonic()

    answer = lookups.perform(lookups.Request("a.", 1000, at_once=2, timeout=1.0))

    assert time.monotonic() - started < 5
    assert 2 <= sum(answer.in_time.values()) <= 6
