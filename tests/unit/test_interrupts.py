"""Ctrl-C wherever it arrives, also where the code is on no line."""

from __future__ import annotations

import signal
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest

from pytest_ipv6k8s.plugin import interrupts


def _interrupted() -> None:
    raise KeyboardInterrupt


def _calls_it() -> None:
    _interrupted()


def test_frames_on_no_line_are_taken_out_of_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    for function in (_calls_it, _interrupted):
        code = function.__code__.replace(co_linetable=b"")
        monkeypatch.setattr(function, "__code__", code)
    with pytest.raises(KeyboardInterrupt) as caught:
        _calls_it()
    assert None in [line for _, line in traceback.walk_tb(caught.tb)]

    interrupts.pytest_keyboard_interrupt(caught)

    assert "KeyboardInterrupt" in str(caught.getrepr(funcargs=True))


def test_other_frames_stay() -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        _calls_it()

    interrupts.pytest_keyboard_interrupt(caught)

    assert [entry.name for entry in caught.traceback][1:] == ["_calls_it", "_interrupted"]


def test_sigterm_interrupts_until_the_handler_before_is_back() -> None:
    before = signal.getsignal(signal.SIGTERM)

    restore = interrupts.interrupt_on_sigterm()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)
    restore()

    assert signal.getsignal(signal.SIGTERM) is before


def test_outside_the_main_thread_no_handler_is_set() -> None:
    before = signal.getsignal(signal.SIGTERM)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(interrupts.interrupt_on_sigterm).result()()

    assert signal.getsignal(signal.SIGTERM) is before
