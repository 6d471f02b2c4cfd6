"""Resolve one name many times, side by side, as many applications at once do: getaddrinfo."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Dict, List, Tuple

from pytest_ipv6k8s.agent import ops, sockets

LONGEST = 6.0
"""Seconds after which a look-up is given up: one query lost is noticed after at most 5."""


@dataclass(frozen=True)
class Answer:
    """What became of the look-ups, each once.

    ``in_time`` counts those that ended within the limit by the addresses that they found (sorted,
    with blanks between), ``late`` the others that found some, ``errors`` those that found none.
    """

    in_time: Dict[str, int] = field(default_factory=dict)
    late: Dict[str, int] = field(default_factory=dict)
    errors: Dict[str, int] = field(default_factory=dict)
    p99: float = 0.0
    longest: float = 0.0


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """``limit`` is what is in time, in seconds. None begins when ``timeout`` is nearly up."""

    name: str
    count: int
    limit: float = 1.0
    at_once: int = 8
    timeout: float = 20.0


def perform(request: Request) -> Answer:
    found: List[Tuple[float, str, bool]] = []
    turns = iter(range(request.count))
    lock = threading.Lock()
    last = time.monotonic() + max(request.timeout - LONGEST - 1.0, 1.0)

    def look_up() -> None:
        while time.monotonic() < last:
            with lock:
                if next(turns, None) is None:
                    return
            one = _one(request.name)
            with lock:
                found.append(one)

    threads = [threading.Thread(target=look_up, daemon=True) for _ in range(request.at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return _counted(found, request.limit)


def _one(name: str) -> "Tuple[float, str, bool]":
    """Return seconds, addresses or error, and whether there were addresses."""
    started = time.monotonic()
    try:
        text, good = " ".join(sorted(sockets.resolve(name, LONGEST))), True
    except socket.gaierror as error:
        text, good = str(error.strerror), False
    except OSError as error:
        text, good = sockets.name_of_error(error), False
    return time.monotonic() - started, text, good


def _counted(found: "List[Tuple[float, str, bool]]", limit: float) -> Answer:
    counts: Dict[str, Dict[str, int]] = {"in_time": {}, "late": {}, "errors": {}}
    for seconds, text, good in found:
        where = counts["errors" if not good else "in_time" if seconds < limit else "late"]
        where[text] = where.get(text, 0) + 1
    times = sorted(seconds for seconds, _, _ in found) or [0.0]
    p99 = times[min(int(len(times) * 0.99), len(times) - 1)]
    return Answer(p99=round(p99, 4), longest=round(times[-1], 4), **counts)
