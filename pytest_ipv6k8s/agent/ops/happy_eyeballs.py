"""Connect to a name as RFC 8305 wants it: both families, IPv6 first, 250 ms apart.

Also the old way, one address after the other, for comparison.
"""

from __future__ import annotations

import errno
import queue
import selectors
import socket
import threading
import time
from dataclasses import dataclass
from typing import Any, Dict, List, Tuple

from pytest_ipv6k8s.agent import sockets
from pytest_ipv6k8s.agent.ops import Question

RESOLUTION_DELAY = 0.05
ATTEMPT_DELAY = 0.25
_LOOK_FOR_NAMES = 0.02


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
class Request(Question[Answer]):
    """A name and a port; ``timeout`` in seconds is for everything.

    ``naive`` tries one address after the other, each for at most a second.
    """

    name: str
    port: int
    naive: bool = False
    timeout: float = 5.0


class _LookUps:
    """Looks both families up at once, and hands over what came."""

    def __init__(self, name: str) -> None:
        self._results: "queue.Queue[Tuple[int, List[str]]]" = queue.Queue()
        self._found: Dict[int, List[str]] = {}
        for family in (socket.AF_INET6, socket.AF_INET):
            threading.Thread(target=self._look_up, args=(name, family), daemon=True).start()

    def _look_up(self, name: str, family: int) -> None:
        try:
            entries = socket.getaddrinfo(name, None, family, socket.SOCK_STREAM)
            self._results.put((family, list(dict.fromkeys(str(e[4][0]) for e in entries))))
        except (OSError, UnicodeError):
            self._results.put((family, []))

    @property
    def over(self) -> bool:
        """Whether both families have been answered for."""
        return len(self._found) == 2

    def wait(self, seconds: float) -> None:
        """Wait for one more family."""
        try:
            family, addresses = self._results.get(timeout=max(seconds, 0.001))
        except queue.Empty:
            return
        self._found[family] = addresses

    def begin(self, deadline: float) -> None:
        """Wait until trying may begin: IPv4 alone waits 50 ms for IPv6 (RFC 8305 section 3)."""
        while not any(self._found.values()) and not self.over and time.monotonic() < deadline:
            self.wait(deadline - time.monotonic())
        if self._found.get(socket.AF_INET) and not self.over:
            self.wait(RESOLUTION_DELAY)

    @property
    def addresses(self) -> List[str]:
        """The addresses with the families in turn, IPv6 first (RFC 8305 section 4)."""
        six, four = self._found.get(socket.AF_INET6, []), self._found.get(socket.AF_INET, [])
        mixed: List[str] = []
        for number in range(max(len(six), len(four))):
            mixed += six[number : number + 1] + four[number : number + 1]
        return mixed


def perform(request: Request) -> Answer:
    started = time.monotonic()
    deadline = started + request.timeout
    names = _LookUps(request.name)
    names.begin(deadline)
    resolved = time.monotonic() - started
    failures: List[str] = []
    if request.naive:
        address = _one_by_one(request, names, deadline, failures)
    else:
        address = _race(request, names, deadline, failures)
    error = "" if address else "no address" if not names.addresses else "ETIMEDOUT"
    return Answer(
        address=address,
        addresses=tuple(names.addresses),
        failures=tuple(failures),
        error=error if not failures else error and failures[-1],
        resolved=resolved,
        seconds=time.monotonic() - started,
    )


def _one_by_one(request: Request, names: _LookUps, deadline: float, failures: List[str]) -> str:
    if not names.over:
        names.wait(deadline - time.monotonic())
    for address in names.addresses:
        began = time.monotonic()
        try:
            sockets.connect(address, request.port, 1.0).close()
        except OSError as error:
            failures.append(_failure(address, error, began))
            continue
        return address
    return ""


def _race(request: Request, names: _LookUps, deadline: float, failures: List[str]) -> str:
    """Start an attempt every 250 ms, or at once when one fails; the first to succeed wins."""
    racing: Dict[str, Any] = {}
    begun: Dict[str, float] = {}
    next_start = 0.0
    try:
        with selectors.DefaultSelector() as selector:
            while time.monotonic() < deadline:
                waiting = [address for address in names.addresses if address not in begun]
                if names.over and not waiting and not racing:
                    return ""
                if waiting and time.monotonic() >= next_start:
                    address, begun[waiting[0]] = waiting[0], time.monotonic()
                    next_start = begun[address] + ATTEMPT_DELAY
                    error = _begin(address, request.port, racing)
                    if error:
                        failures.append(_failure(address, error, begun[address]))
                        next_start = 0.0
                    else:
                        selector.register(racing[address], selectors.EVENT_WRITE, address)
                    continue
                for address, error in _ready(selector, names, waiting, next_start, deadline):
                    if not error:
                        return address
                    failures.append(_failure(address, error, begun[address]))
                    racing.pop(address).close()
                    next_start = 0.0
        return ""
    finally:
        for sock in racing.values():
            sock.close()


def _begin(address: str, port: int, racing: Dict[str, Any]) -> Any:
    """Begin to connect; return the error of what is refused on the spot."""
    sock = socket.socket(sockets.family_of(address), socket.SOCK_STREAM)
    sock.settimeout(0)
    number = sock.connect_ex((address, port))
    if number not in (0, errno.EINPROGRESS):
        sock.close()
        return OSError(number, "")
    racing[address] = sock
    return None


def _ready(
    selector: selectors.BaseSelector,
    names: _LookUps,
    waiting: List[str],
    next_start: float,
    deadline: float,
) -> List[Tuple[str, Any]]:
    """Wait until something happens; return the attempts that are decided, with their errors."""
    now = time.monotonic()
    patience = (next_start if waiting else deadline) - now
    if not names.over:
        names.wait(0.001)
        patience = min(patience, _LOOK_FOR_NAMES)
    decided: List[Tuple[str, Any]] = []
    for key, _ in selector.select(max(patience, 0)):
        sock: Any = key.fileobj
        number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        selector.unregister(sock)
        decided.append((key.data, OSError(number, "") if number else None))
    return decided


def _failure(address: str, error: OSError, began: float) -> str:
    after = (time.monotonic() - began) * 1000
    return "%s: %s after %d ms" % (address, sockets.name_of_error(error), after)
