"""Ctrl-C and SIGTERM: pytest ends in order; during clean-up one is answered, the next obeyed."""

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


def interrupt_on_sigterm() -> Callable[[], None]:
    """Let SIGTERM end the process as Ctrl-C does; return what puts the handler before back.

    Only the main thread may set handlers; in another one nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        return lambda: None
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)

    def restore() -> None:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)

    return restore


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
