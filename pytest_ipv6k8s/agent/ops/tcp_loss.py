"""Ask and answer on many TCP connections, and count round trips in which a packet was sent again.

The kernels at both ends tell how often they sent something again (``tcpi_total_retrans``, with the
SYN): a request that is lost is sent again by us, an answer that is lost by either end. A request
acknowledges the answer before it, so that where it is lost, that answer is sent again, too: this
is one loss.
"""

from __future__ import annotations

import selectors
import socket
import time
from dataclasses import dataclass
from typing import List, Set, Tuple

from pytest_ipv6k8s.agent import ops, sockets
from pytest_ipv6k8s.agent.ports import ECHO

_SAMPLE = 5


@dataclass(frozen=True)
class Answer:
    """Of so many round ``trips``, opening a connection is one, ``lossy`` ones lost a packet.

    ``failed`` of the ``connections`` were refused, were reset or never answered; ``failures`` has
    the first few: port and error. ``pods`` answered.
    """

    trips: int
    lossy: int
    connections: int = 0
    failed: int = 0
    failures: Tuple[str, ...] = ()
    pods: Tuple[str, ...] = ()
    local: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """A literal address and port: ``count`` round trips over so many ``connections``.

    It ends when ``enough`` trips were lossy, or after ``usual`` seconds; where it is too slow for
    ``least`` trips by then, with these or after ``timeout`` seconds.
    """

    address: str
    port: int
    count: int = 3000
    connections: int = 32
    enough: int = 100
    least: int = 300
    usual: float = 10.0
    timeout: float = 40.0


class _Connection:
    """One connection, which asks again as soon as it is answered."""

    def __init__(self, request: Request) -> None:
        self.trip = 0
        self.lossy: Set[int] = set()
        self.pod = ""
        self.error = ""
        self.done = False
        self._last = -(-request.count // request.connections) - 1
        self._again, self._theirs = 0, 0
        self._reply = b""
        self.sock = socket.socket(sockets.family_of(request.address), socket.SOCK_STREAM)
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.sock.connect((request.address, request.port))
        except BlockingIOError:
            pass
        except OSError as error:
            self.fail(error)

    def fail(self, error: OSError) -> None:
        """Note that it failed."""
        self.error, self.done = sockets.name_of_error(error), True

    def opened(self) -> None:
        """Begin to ask: the connection is open or failed."""
        number = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            self.fail(OSError(number, ""))
            return
        self._next()

    def read(self) -> None:
        """Read an answer; when it is whole, ask again."""
        try:
            data = self.sock.recv(2048)
        except BlockingIOError:
            return
        except OSError as error:
            self.fail(error)
            return
        self._reply += data
        if not data:
            self.error, self.done = "closed", True
        elif self._reply.endswith(b"\n"):
            self._answered()

    def look(self) -> None:
        """Heed what was sent again in this trip."""
        again = sockets.retransmissions(self.sock)
        if again > self._again:
            self.lossy.add(self.trip)
        self._again = again

    def _answered(self) -> None:
        theirs, _, pod = self._reply[len(ECHO) :].rstrip(b"\n").partition(b" ")
        if not self._reply.startswith(ECHO) or not theirs.isdigit():
            self.error, self.done = "no echo", True
            return
        self.look()
        if int(theirs) > self._theirs and self.trip not in self.lossy:
            self.lossy.add(self.trip - 1)
        self._theirs, self._reply = int(theirs), b""
        self.pod = pod.decode(errors="replace")
        if self.trip >= self._last:
            self.done = True
            return
        self._next()

    def _next(self) -> None:
        self.look()
        self.trip += 1
        try:
            self.sock.send(b"%s%d\n" % (ECHO, self.trip))
        except OSError as error:
            self.fail(error)


def perform(request: Request) -> Answer:
    started = time.monotonic()
    connections = [_Connection(request) for _ in range(request.connections)]
    try:
        _run(request, connections, started)
        return _answer(connections, time.monotonic() - started)
    finally:
        for connection in connections:
            connection.sock.close()


def _run(request: Request, connections: List[_Connection], started: float) -> None:
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            if not connection.done:
                selector.register(connection.sock, selectors.EVENT_WRITE, connection)
        while selector.get_map():
            for key, _ in selector.select(0.1):
                _step(selector, key.data)
            late = _is_late(request, connections, time.monotonic() - started)
            if late or sum(len(c.lossy) for c in connections) >= request.enough:
                _give_up(connections, late=late)
                return


def _is_late(request: Request, connections: List[_Connection], seconds: float) -> bool:
    """Tell whether time is up: there are trips enough, or nobody makes any more of them."""
    if seconds < request.usual:
        return False
    enough = sum(connection.trip for connection in connections) >= request.least
    going_on = any(connection.pod and not connection.done for connection in connections)
    return enough or not going_on or seconds > request.timeout


def _step(selector: selectors.BaseSelector, connection: _Connection) -> None:
    if connection.trip:
        connection.read()
    else:
        connection.opened()
        selector.modify(connection.sock, selectors.EVENT_READ, connection)
    if connection.done:
        selector.unregister(connection.sock)


def _give_up(connections: List[_Connection], *, late: bool) -> None:
    """Heed what the trips that did not end lost; who has no answer when it is late has failed."""
    for connection in connections:
        if not connection.done:
            connection.look()
            if late and not connection.pod:
                connection.error = "ETIMEDOUT"


def _answer(connections: List[_Connection], seconds: float) -> Answer:
    failed = [connection for connection in connections if connection.error]
    ports = [connection.sock.getsockname()[1] for connection in failed[:_SAMPLE]]
    return Answer(
        trips=sum(connection.trip + 1 for connection in connections),
        lossy=sum(len(connection.lossy) for connection in connections),
        connections=len(connections),
        failed=len(failed),
        failures=tuple("%d: %s" % (port, c.error) for port, c in zip(ports, failed)),
        pods=tuple(sorted({connection.pod for connection in connections} - {""})),
        local=next((sockets.local_address(c.sock) for c in connections if c.pod), ""),
        seconds=seconds,
    )
