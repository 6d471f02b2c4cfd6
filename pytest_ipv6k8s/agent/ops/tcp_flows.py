"""Open many TCP connections from given source ports to one target, and hold them all."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Dict, List, Tuple

from pytest_ipv6k8s.agent import ops, sockets

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
class Request(ops.Request[Answer]):
    """A literal address and port, asked from ``count`` ports from ``first_port`` on.

    ``at_once`` connections are on their way at a time; all that were opened stay open until the
    last one is. ``timeout`` in seconds is for everything.
    """

    awaits_one = True
    address: str
    port: int
    first_port: int
    count: int = 500
    at_once: int = 50
    timeout: float = 10.0


class _Flow:
    """One connection: how it failed, or what the target said."""

    def __init__(self, request: Request, port: int) -> None:
        self.port = port
        self.error = ""
        self.reply: Dict[str, Any] = {}
        self.sock = socket.socket(sockets.family_of(request.address), socket.SOCK_STREAM)

    def run(self, request: Request, deadline: float) -> None:
        """Connect, send the port and read its echo; the connection stays open."""
        try:
            sockets.take_port(self.sock, self.port)
            self.sock.settimeout(max(deadline - time.monotonic(), 0.001))
            self.sock.connect((request.address, request.port))
            self.sock.sendall(b"%d\n" % self.port)
            self.reply = sockets.identity(sockets.read_to_end(self.sock))
        except OSError as error:
            self.error = sockets.name_of_error(error)
            return
        if self.reply.get("payload") != str(self.port):
            self.error = "no echo"


def perform(request: Request) -> Answer:
    started = time.monotonic()
    flows = [_Flow(request, request.first_port + number) for number in range(request.count)]
    try:
        with ThreadPoolExecutor(request.at_once) as pool:
            for flow in flows:
                pool.submit(flow.run, request, started + request.timeout)
        return _answer(flows, time.monotonic() - started)
    finally:
        for flow in flows:
            flow.sock.close()


def _answer(flows: List[_Flow], seconds: float) -> Answer:
    tried = [flow for flow in flows if flow.error != "EADDRINUSE"]
    failed = [flow for flow in tried if flow.error]
    answered = [flow for flow in tried if not flow.error]
    return Answer(
        opened=len(tried),
        answered=len(answered),
        taken=len(flows) - len(tried),
        failures=tuple("%d: %s" % (flow.port, flow.error) for flow in failed[:_SAMPLE]),
        renumbered=sum(flow.reply.get("port") != flow.port for flow in answered),
        seen_sources=tuple(sorted({str(flow.reply.get("source", "")) for flow in answered})),
        seconds=seconds,
    )
