"""Ctrl-C during clean-up: the first was heard, the second is answered, the third is obeyed."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def patient(what: str, tell: Callable[[str], None]) -> Iterator[None]:
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

    def heard(number: int, frame: FrameType | None) -> None:
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
