"""Ctrl-C wherever it arrives, also where the code is on no line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_interrupts_until_the_handler_before_is_back(number: signal.Signals) -> None:
    before = signal.signal(number, signal.SIG_DFL)

    restore = interrupts.interrupt_on_signals()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    restore()

    assert signal.signal(number, before) is signal.SIG_DFL


def test_whoever_ignores_a_closed_terminal_goes_on_ignoring_it() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)

    restore = interrupts.interrupt_on_signals()
    signal.raise_signal(signal.SIGHUP)
    restore()

    assert signal.signal(signal.SIGHUP, before) is signal.SIG_IGN


HUNG_UP = """
import sys, time
from pathlib import Path
from pytest_ipv6k8s.plugin import interrupts

interrupts.interrupt_on_signals()
try:
    print("ready", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print("said to nobody", flush=True)
    Path(sys.argv[1]).write_text("ended")
"""


def test_nothing_is_written_to_a_terminal_that_is_gone(tmp_path: Path) -> None:
    terminal, far_end = os.openpty()
    words = [sys.executable, "-c", HUNG_UP, str(tmp_path / "file")]
    with subprocess.Popen(words, stdout=far_end, stderr=far_end) as process:
        os.close(far_end)
        assert os.read(terminal, 5) == b"ready"
        os.close(terminal)
        process.send_signal(signal.SIGHUP)

    assert process.returncode == 0
    assert (tmp_path / "file").read_text() == "ended"


def test_outside_the_main_thread_no_handler_is_set() -> None:
    before = signal.getsignal(signal.SIGTERM)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(interrupts.interrupt_on_signals).result()()

    assert signal.getsignal(signal.SIGTERM) is before
