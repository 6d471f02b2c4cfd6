"""Open an SCTP association, send a line, and say who answered and which source it saw."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass

from pytest_ipv6k8s.agent import ops, sockets


@dataclass(frozen=True)
class Answer:
    """``pod`` and ``seen_source`` are what the serving agent said; ``error`` why there is none.

    ``supported`` is false where the kernel has no SCTP; then nothing was sent.
    """

    supported: bool
    connected: bool = False
    local: str = ""
    pod: str = ""
    seen_source: str = ""
    echoed: bool = False
    error: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """A literal address and a port; ``timeout`` in seconds."""

    address: str
    port: int
    payload: str = "ipv6k8s"
    timeout: float = 3.0


def perform(request: Request) -> Answer:
    started = time.monotonic()
    try:
        family = sockets.family_of(request.address)
        sock = socket.socket(family, socket.SOCK_STREAM, sockets.IPPROTO_SCTP)
    except OSError as error:
        return Answer(supported=False, error=sockets.name_of_error(error))
    with sock:
        sock.settimeout(request.timeout)
        local = ""
        try:
            sock.connect((request.address, request.port))
            local = sockets.local_address(sock)
            sock.sendall(request.payload.encode() + b"\n")
            reply = sockets.identity(sockets.read_to_end(sock))
        except OSError as error:
            name = sockets.name_of_error(error)
            return Answer(supported=True, connected=bool(local), local=local, error=name)
    return Answer(
        supported=True,
        connected=True,
        local=local,
        pod=reply.get("pod", ""),
        seen_source=reply.get("source", ""),
        echoed=reply.get("payload") == request.payload,
        seconds=time.monotonic() - started,
    )
