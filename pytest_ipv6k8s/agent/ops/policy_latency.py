"""Open connection after connection, and say after how long they begin or cease to succeed."""

from __future__ import annotations

import time
from dataclasses import dataclass

from pytest_ipv6k8s.agent import ops, sockets

_PAUSE, _PATIENCE = 0.05, 0.5
_SURE = 2


@dataclass(frozen=True)
class Answer:
    """``seconds`` is when the first try began that went as it was waited for, and the next too.

    It counts from the first try. ``tries`` are all tries; ``error`` is the last try's.
    """

    flipped: bool
    tries: int
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """A literal address and a port, tried until connections succeed (``opens``) or fail.

    ``timeout`` in seconds is for all tries together.
    """

    address: str
    port: int
    opens: bool
    timeout: float = 10.0


def perform(request: Request) -> Answer:
    started = time.monotonic()
    tries, streak, since, error = 0, 0, 0.0, ""
    while time.monotonic() - started < request.timeout:
        begun = time.monotonic() - started
        error = _error(request)
        tries += 1
        if (not error) is request.opens:
            since = since if streak else begun
            streak += 1
            if streak == _SURE:
                return Answer(flipped=True, tries=tries, seconds=since, error=error)
        else:
            streak = 0
        time.sleep(_PAUSE)
    return Answer(flipped=False, tries=tries, error=error)


def _error(request: Request) -> str:
    try:
        sockets.connect(request.address, request.port, _PATIENCE).close()
    except OSError as error:
        return sockets.name_of_error(error)
    return ""
