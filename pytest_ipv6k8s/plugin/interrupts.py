"""Ctrl-C, SIGTERM, SIGHUP: pytest ends in order; in clean-up one is answered, the next obeyed."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import threading
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_keyboard_interrupt(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Take frames out of the traceback that are on no line: pytest breaks on them.

    A signal that arrives between the lines of a ``with`` statement leaves such a frame, whose
    ``tb_lineno`` is None; pytest calculates with it and ends in a TypeError instead of exit code 2
    (seen with pytest 9.2 on Python 3.11; we know of no issue of pytest's about it).
    """
    entry: TracebackType = excinfo.tb
    while (following := entry.tb_next) is not None:
        if following.tb_lineno is None:
            entry.tb_next = following.tb_next
        else:
            entry = following


def interrupt_on_signals() -> Callable[[], None]:
    """Let SIGTERM and SIGHUP end the process as Ctrl-C does; return what puts back what was before.

    Whoever ignores SIGHUP, as nohup does, goes on ignoring it. Only the main thread may set
    handlers; in another one nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        return lambda: None
    handlers = {signal.SIGTERM: signal.default_int_handler, signal.SIGHUP: _hang_up}
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        del handlers[signal.SIGHUP]
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)

    return restore


def _hang_up(_number: int, _frame: FrameType | None) -> None:
    """End as Ctrl-C does, and write no more to a terminal that is gone: that would be an error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for output in (1, 2):
        with contextlib.suppress(OSError):
            if stat.S_ISCHR(os.fstat(output).st_mode):
                os.dup2(nowhere, output)
    os.close(nowhere)
    raise KeyboardInterrupt


@contextlib.contextmanager
def defer_interrupts(what: str, tell: Callable[[str], None]) -> Iterator[None]:
    """Let a deletion come to its end although the user presses Ctrl-C once more.

    Args:
        what: what is being deleted.
        tell: called with the reason why nothing stops yet.

    Raises:
        KeyboardInterrupt: at the second Ctrl-C meanwhile.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed = 0

    def count(_number: int, _frame: FrameType | None) -> None:
        nonlocal pressed
        pressed += 1
        if pressed > 1:
            tell(f"{what} may still be there; remove it with `ipv6k8s reap`")
            raise KeyboardInterrupt
        tell(f"still deleting {what}; press Ctrl-C again to leave it behind")

    before = {number: signal.signal(number, count) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
