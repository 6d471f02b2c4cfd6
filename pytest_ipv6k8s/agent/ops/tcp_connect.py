"""Open a TCP connection, send a line, and say who answered and which source it saw."""

from __future__ import annotations

import time
from dataclasses import dataclass

from pytest_ipv6k8s.agent import ops, sockets


@dataclass(frozen=True)
class Answer:
    """``pod``, ``seen_source``, ``seen_port`` and ``seen_mss`` are what the serving agent said.

    They are empty and 0 if somebody else answered. ``error`` is ECONNREFUSED, ETIMEDOUT and so
    on; empty when the connection was opened and the line came back (``echoed``) or the peer spoke
    another protocol. ``local`` and ``local_port`` are our own end.
    """

    connected: bool
    local: str = ""
    pod: str = ""
    seen_source: str = ""
    echoed: bool = False
    error: str = ""
    seconds: float = 0.0
    local_port: int = 0
    seen_port: int = 0
    seen_mss: int = 0


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """A literal address and a port; ``timeout`` in seconds.

    ``source_port`` is our own port, 0 for any. EADDRINUSE says that it was taken.
    """

    awaits_one = True
    address: str
    port: int
    payload: str = "ipv6k8s"
    timeout: float = 3.0
    source_port: int = 0


def perform(request: Request) -> Answer:
    started = time.monotonic()
    try:
        sock = sockets.connect(
            request.address, request.port, request.timeout, source_port=request.source_port
        )
    except OSError as error:
        name = sockets.name_of_error(error)
        return Answer(connected=False, error=name, seconds=time.monotonic() - started)
    seconds = time.monotonic() - started
    with sock:
        local, local_port = sockets.local_address(sock), sock.getsockname()[1]
        try:
            sock.sendall(request.payload.encode() + b"\n")
            reply = sockets.identity(sockets.read_to_end(sock))
        except OSError as error:
            return Answer(
                connected=True,
                local=local,
                error=sockets.name_of_error(error),
                seconds=seconds,
                local_port=local_port,
            )
    return Answer(
        connected=True,
        local=local,
        pod=reply.get("pod", ""),
        seen_source=reply.get("source", ""),
        echoed=reply.get("payload") == request.payload,
        seconds=seconds,
        local_port=local_port,
        seen_port=reply.get("port", 0),
        seen_mss=reply.get("mss", 0),
    )
