"""Open many TCP connections from given source ports to one target, and hold them all."""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from dataclasses import dataclass
from typing import Any, Dict, List, Tuple

from pytest_ipv6k8s.agent import sockets
from pytest_ipv6k8s.agent.ops import Question
from pytest_ipv6k8s.agent.ops.tcp_connect import take_port

_SAMPLE = 5


@dataclass(frozen=True)
class Answer:
    """``answered`` of the ``opened`` ports had their line echoed; ``taken`` ones were not free.

    ``failures`` has the first few others: port and error. ``renumbered`` counts those of which
    the target saw another port, ``seen_sources`` has the addresses that it saw.
    """

    opened: int
    answered: int
    taken: int = 0
    failures: Tuple[str, ...] = ()
    renumbered: int = 0
    seen_sources: Tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class Request(Question[Answer]):
    """A literal address and port, asked from ``count`` ports from ``first_port`` on.

    ``at_once`` connections are on their way at a time; all that were opened stay open until the
    last one is. ``timeout`` in seconds is for everything.
    """

    address: str
    port: int
    first_port: int
    count: int = 500
    at_once: int = 50
    timeout: float = 10.0


class _Flow:
    """One connection: how far it is and what was heard."""

    def __init__(self, request: Request, port: int) -> None:
        self.port = port
        self.heard = b""
        self.error = ""
        self.said: Dict[str, Any] = {}
        self.sock = socket.socket(sockets.family_of(request.address), socket.SOCK_STREAM)
        self.sock.settimeout(0)

    def start(self, request: Request) -> None:
        """Begin to connect.

        Raises:
            OSError: the port is taken, or there is no way.
        """
        take_port(self.sock, self.port)
        with contextlib.suppress(BlockingIOError):
            self.sock.connect((request.address, request.port))

    def go_on(self, ready: int) -> int:
        """Do what can be done now and return what to wait for next; 0 when it is over."""
        try:
            if ready & selectors.EVENT_WRITE:
                self.sock.send(b"%d\n" % self.port)
                return selectors.EVENT_READ
            part = self.sock.recv(65536)
        except BlockingIOError:
            return selectors.EVENT_READ
        except OSError as error:
            self.error = sockets.name_of_error(error)
            return 0
        self.heard += part
        if part:
            return selectors.EVENT_READ
        self.said = sockets.identity(self.heard)
        if self.said.get("payload") != str(self.port):
            self.error = "no echo"
        return 0


def perform(request: Request) -> Answer:
    started = time.monotonic()
    flows = [_Flow(request, request.first_port + number) for number in range(request.count)]
    try:
        _run(request, flows, started + request.timeout)
        return _answer(flows, time.monotonic() - started)
    finally:
        for flow in flows:
            flow.sock.close()


def _run(request: Request, flows: List[_Flow], deadline: float) -> None:
    waiting = list(reversed(flows))
    with selectors.DefaultSelector() as selector:
        while waiting or selector.get_map():
            while waiting and len(selector.get_map()) < request.at_once:
                flow = waiting.pop()
                try:
                    flow.start(request)
                except OSError as error:
                    flow.error = sockets.name_of_error(error)
                    continue
                selector.register(flow.sock, selectors.EVENT_WRITE, flow)
            left = deadline - time.monotonic()
            if left <= 0:
                break
            for key, ready in selector.select(left):
                wanted = key.data.go_on(ready)
                if wanted:
                    selector.modify(key.fileobj, wanted, key.data)
                else:
                    selector.unregister(key.fileobj)
    for flow in flows:
        if not flow.said and not flow.error:
            flow.error = "ETIMEDOUT"


def _answer(flows: List[_Flow], seconds: float) -> Answer:
    tried = [flow for flow in flows if flow.error != "EADDRINUSE"]
    failed = [flow for flow in tried if flow.error]
    answered = [flow for flow in tried if not flow.error]
    return Answer(
        opened=len(tried),
        answered=len(answered),
        taken=len(flows) - len(tried),
        failures=tuple("%d: %s" % (flow.port, flow.error) for flow in failed[:_SAMPLE]),
        renumbered=sum(flow.said.get("port") != flow.port for flow in answered),
        seen_sources=tuple(sorted({str(flow.said.get("source", "")) for flow in answered})),
        seconds=seconds,
    )
