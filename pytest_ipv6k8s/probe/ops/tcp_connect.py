"""Open a TCP connection, send a line, and say who answered and which source it saw."""

from __future__ import annotations

import time
from dataclasses import dataclass

from pytest_ipv6k8s.probe import sockets
from pytest_ipv6k8s.probe.ops import Question


@dataclass(frozen=True)
class Answer:
    """``pod`` and ``seen_source`` are what the serving agent said; empty if somebody else did.

    ``error`` is ECONNREFUSED, ETIMEDOUT and so on; None when the connection was opened and the
    line came back (``echoed``) or the peer spoke another protocol.
    """

    connected: bool
    local: str = ""
    pod: str = ""
    seen_source: str = ""
    echoed: bool = False
    error: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Request(Question[Answer]):
    """A literal address and a port; ``timeout`` in seconds."""

    address: str
    port: int
    payload: str = "ipv6k8s"
    timeout: float = 3.0


def perform(request: Request) -> Answer:
    started = time.monotonic()
    try:
        sock = sockets.connect(request.address, request.port, request.timeout)
    except OSError as error:
        name = sockets.name_of_error(error)
        return Answer(connected=False, error=name, seconds=time.monotonic() - started)
    seconds = time.monotonic() - started
    with sock:
        local = sockets.local_address(sock)
        try:
            sock.sendall(request.payload.encode() + b"\n")
            said = sockets.identity(sockets.read_to_end(sock))
        except OSError as error:
            name = sockets.name_of_error(error)
            return Answer(connected=True, local=local, error=name, seconds=seconds)
    return Answer(
        connected=True,
        local=local,
        pod=said.get("pod", ""),
        seen_source=said.get("source", ""),
        echoed=said.get("payload") == request.payload,
        seconds=seconds,
    )
