"""Send numbered UDP datagrams over many flows, few on their way at a time, and count the lost."""

from __future__ import annotations

import selectors
import socket
import time
from dataclasses import dataclass
from typing import Dict, List, Set, Tuple

from pytest_ipv6k8s.agent import ops, sockets
from pytest_ipv6k8s.agent.ports import ECHO, PADDING

SHORTEST_PATIENCE, LONGEST_PATIENCE = 0.25, 2.0
FEW = 5
_SIZE = 128
"""Bytes of a datagram: room for the name of a pod in its echo."""


@dataclass(frozen=True)
class Answer:
    """Of ``sent`` datagrams ``lost`` never came back; ``pods`` sent the echoes.

    ``silent`` has the source ports of flows of which nothing came back; ``error`` is the first one.
    """

    sent: int
    lost: int
    flows: int = 0
    silent: Tuple[int, ...] = ()
    pods: Tuple[str, ...] = ()
    local: str = ""
    error: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """A literal address and port, asked ``count`` times from ``flows`` ports in turn.

    At most ``window`` datagrams are on their way, which no socket's buffer is too small for; one
    that stays away for four times the slowest round trip makes room for the next, and still counts
    when it comes. Sending ends when ``enough`` stay away, fewer if all do, or after ``usual``
    seconds; where it is too slow for ``least`` datagrams by then, with these or after ``timeout``
    seconds.
    """

    address: str
    port: int
    count: int = 3000
    flows: int = 32
    window: int = 16
    enough: int = 100
    least: int = 300
    usual: float = 10.0
    timeout: float = 40.0


class _Flow:
    """One source port."""

    def __init__(self, request: Request) -> None:
        self.sent = 0
        self.echoed = 0
        self.sock = socket.socket(sockets.family_of(request.address), socket.SOCK_DGRAM)
        self.sock.setblocking(False)


class _Exchange:
    """The datagrams of a request: on their way, late, or back."""

    def __init__(self, request: Request, flows: List[_Flow]) -> None:
        self.request = request
        self.flows = flows
        self.started = time.monotonic()
        self.sent = 0
        self.away: Dict[int, float] = {}
        self.late: Dict[int, float] = {}
        self.slowest = LONGEST_PATIENCE / 8
        self.measured = False
        self.pods: Set[str] = set()
        self.error = ""

    @property
    def patience(self) -> float:
        """How long a datagram may be on its way."""
        return min(max(4 * self.slowest, SHORTEST_PATIENCE), LONGEST_PATIENCE)

    def run(self) -> None:
        """Send all datagrams, and give the last ones time to come back."""
        with selectors.DefaultSelector() as selector:
            for flow in self.flows:
                selector.register(flow.sock, selectors.EVENT_READ, flow)
            while self.away or self._may_send():
                self._send()
                self._receive(selector, self.patience)
                self._give_up_on_late_ones()
            end = time.monotonic() + self.patience
            while self.late and time.monotonic() < end:
                self._receive(selector, max(end - time.monotonic(), 0.0))

    def _may_send(self) -> bool:
        enough = self.request.enough if self.measured else 2 * self.request.window
        left = self.sent < self.request.count and len(self.late) < enough
        few = self.sent < self.request.least
        limit = self.request.timeout if few else self.request.usual
        return left and time.monotonic() - self.started < limit

    def _send(self) -> None:
        while len(self.away) < self.request.window and self._may_send():
            flow = self.flows[self.sent % len(self.flows)]
            try:
                flow.sock.send((b"%s%d" % (ECHO, self.sent)).ljust(_SIZE, PADDING))
            except BlockingIOError:
                return
            except OSError as error:
                self.error = self.error or sockets.name_of_error(error)
            flow.sent += 1
            self.away[self.sent] = time.monotonic()
            self.sent += 1

    def _receive(self, selector: selectors.BaseSelector, timeout: float) -> None:
        for key, _ in selector.select(timeout):
            try:
                while True:
                    self._note(key.data, key.data.sock.recv(2048))
            except BlockingIOError:
                continue
            except OSError as error:
                self.error = self.error or sockets.name_of_error(error)

    def _note(self, flow: _Flow, reply: bytes) -> None:
        number, _, pod = reply[len(ECHO) :].partition(b" ")
        if not reply.startswith(ECHO) or not number.isdigit():
            return
        since = self.away.pop(int(number), None) or self.late.pop(int(number), None)
        if since is None:
            return
        flow.echoed += 1
        self.pods.add(pod.decode(errors="replace"))
        took = time.monotonic() - since
        self.slowest = max(self.slowest, took) if self.measured else took
        self.measured = True

    def _give_up_on_late_ones(self) -> None:
        """Make room for further datagrams; those that were sent first are first in the dict."""
        limit = time.monotonic() - self.patience
        for number, since in list(self.away.items()):
            if since > limit:
                break
            self.late[number] = self.away.pop(number)


def perform(request: Request) -> Answer:
    flows = [_Flow(request) for _ in range(request.flows)]
    try:
        for flow in flows:
            flow.sock.connect((request.address, request.port))
    except OSError as error:
        for flow in flows:
            flow.sock.close()
        return Answer(sent=0, lost=0, error=sockets.name_of_error(error))
    exchange = _Exchange(request, flows)
    try:
        exchange.run()
        return _answer(exchange)
    finally:
        for flow in flows:
            flow.sock.close()


def _answer(exchange: _Exchange) -> Answer:
    used = [flow for flow in exchange.flows if flow.sent >= FEW]
    return Answer(
        sent=exchange.sent,
        lost=exchange.sent - sum(flow.echoed for flow in exchange.flows),
        flows=len(exchange.flows),
        silent=tuple(flow.sock.getsockname()[1] for flow in used if not flow.echoed),
        pods=tuple(sorted(exchange.pods)),
        local=sockets.local_address(exchange.flows[0].sock),
        error=exchange.error,
        seconds=time.monotonic() - exchange.started,
    )
