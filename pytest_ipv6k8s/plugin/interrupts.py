"""Ctrl-C: pytest ends in order; during clean-up the second is answered, and the third obeyed."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_keyboard_interrupt(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Take frames out of the traceback that are on no line: pytest breaks on them.

    A signal that arrives between the lines of a ``with`` statement leaves such a frame (seen with
    pytest 9.2 on Python 3.11); instead of exit code 2 there was a TypeError.
    """
    entry: TracebackType = excinfo.tb
    while (following := entry.tb_next) is not None:
        if following.tb_lineno is None:
            entry.tb_next = following.tb_next
        else:
            entry = following


@contextlib.contextmanager
def defer_interrupts(what: str, tell: Callable[[str], None]) -> Iterator[None]:
    """Let a deletion come to its end although the user presses Ctrl-C once more.

    Args:
        what: what is being deleted.
        tell: told why nothing stops yet.

    Raises:
        KeyboardInterrupt: at the second Ctrl-C within.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed = 0

    def heard(_number: int, _frame: FrameType | None) -> None:
        nonlocal pressed
        pressed += 1
        if pressed > 1:
            tell(f"{what} may still be there; remove it with `ipv6k8s reap`")
            raise KeyboardInterrupt
        tell(f"still deleting {what}; press Ctrl-C again to leave it behind")

    before = {number: signal.signal(number, heard) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
