"""Connect to a name as RFC 8305 wants it: both families, IPv6 first, 250 ms apart.

Also the old way, one address after the other, for comparison.
"""

from __future__ import annotations

import functools
import itertools
import queue
import socket
import threading
import time
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Tuple

from pytest_ipv6k8s.agent import ops, sockets

RESOLUTION_DELAY = 0.05
ATTEMPT_DELAY = 0.25


@dataclass(frozen=True)
class Answer:
    """``address`` is the one that was connected to; empty when none was.

    ``addresses`` are those that were found, in the order in which they are tried; ``failures``
    those that said no, with the error and after how many milliseconds. ``seconds`` counts from
    the first look-up on, ``resolved`` is when the first addresses were there.
    """

    address: str = ""
    addresses: Tuple[str, ...] = ()
    failures: Tuple[str, ...] = ()
    error: str = ""
    resolved: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """A name and a port; ``timeout`` in seconds is for everything.

    ``naive`` tries one address after the other, each for at most a second.
    """

    awaits_one = True
    name: str
    port: int
    naive: bool = False
    timeout: float = 5.0


class _Events:
    """What look-ups and attempts report, in the order in which it happens."""

    def __init__(self, name: str) -> None:
        self._queue: "queue.Queue[Tuple[Any, Any]]" = queue.Queue()
        self._found: Dict[int, List[str]] = {}
        for family in (socket.AF_INET6, socket.AF_INET):
            self._run(family, functools.partial(_look_up, name, family))

    def _run(self, key: Any, work: Callable[[], Any]) -> None:
        put = self._queue.put
        threading.Thread(target=lambda: put((key, work())), daemon=True).start()

    @property
    def names_known(self) -> bool:
        """Whether both families have been answered for."""
        return len(self._found) == 2

    @property
    def addresses(self) -> List[str]:
        """The addresses with the families in turn, IPv6 first (RFC 8305 section 4)."""
        six, four = self._found.get(socket.AF_INET6, []), self._found.get(socket.AF_INET, [])
        pairs = itertools.zip_longest(six, four)
        return [address for pair in pairs for address in pair if address]

    def attempt(self, address: str, port: int, timeout: float) -> None:
        """Begin to connect to an address."""
        self._run(address, functools.partial(_attempt, address, port, timeout))

    def next(self, timeout: float) -> Tuple[str, str]:
        """Return the next attempt that ended and its failure; empty when none did in time."""
        try:
            key, outcome = self._queue.get(timeout=max(timeout, 0.001))
        except queue.Empty:
            return "", ""
        if isinstance(key, str):
            return key, outcome
        self._found[int(key)] = outcome
        return "", ""

    def begin(self, deadline: float) -> None:
        """Wait until trying may begin: IPv4 alone waits 50 ms for IPv6 (RFC 8305 section 3)."""
        while not self.addresses and not self.names_known and time.monotonic() < deadline:
            self.next(deadline - time.monotonic())
        if self._found.get(socket.AF_INET) and not self.names_known:
            self.next(RESOLUTION_DELAY)


def _look_up(name: str, family: int) -> List[str]:
    try:
        entries = socket.getaddrinfo(name, None, family, socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(entry[4][0]) for entry in entries))


def _attempt(address: str, port: int, timeout: float) -> str:
    """Connect and hang up; return the failure, empty when there was none."""
    began = time.monotonic()
    try:
        sockets.connect(address, port, timeout).close()
    except OSError as error:
        after = (time.monotonic() - began) * 1000
        return "%s: %s after %d ms" % (address, sockets.name_of_error(error), after)
    return ""


def perform(request: Request) -> Answer:
    started = time.monotonic()
    deadline = started + request.timeout
    events = _Events(request.name)
    events.begin(deadline)
    resolved = time.monotonic() - started
    failures: List[str] = []
    if request.naive:
        address = _one_by_one(request, events, deadline, failures)
    else:
        address = _race(request, events, deadline, failures)
    error = "" if address else "no address" if not events.addresses else "ETIMEDOUT"
    return Answer(
        address=address,
        addresses=tuple(events.addresses),
        failures=tuple(failures),
        error=error if not failures else error and failures[-1],
        resolved=resolved,
        seconds=time.monotonic() - started,
    )


def _one_by_one(request: Request, events: _Events, deadline: float, failures: List[str]) -> str:
    if not events.names_known:
        events.next(deadline - time.monotonic())
    for address in events.addresses:
        failure = _attempt(address, request.port, 1.0)
        if not failure:
            return address
        failures.append(failure)
    return ""


def _race(request: Request, events: _Events, deadline: float, failures: List[str]) -> str:
    """Start an attempt every 250 ms, or at once when one fails; the first to succeed wins."""
    begun: List[str] = []
    next_start = 0.0
    while True:
        now = time.monotonic()
        waiting = [address for address in events.addresses if address not in begun]
        over = events.names_known and not waiting and len(failures) == len(begun)
        if now >= deadline or over:
            return ""
        if waiting and now >= next_start:
            events.attempt(waiting[0], request.port, request.timeout)
            begun.append(waiting[0])
            next_start = now + ATTEMPT_DELAY
            continue
        address, failure = events.next((min(next_start, deadline) if waiting else deadline) - now)
        if address and not failure:
            return address
        if failure:
            failures.append(failure)
            next_start = 0.0
