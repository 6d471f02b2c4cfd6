"""Ask the agent that serves in this pod over a socket of this machine, past every network."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass

from pytest_ipv6k8s.agent import ops, sockets
from pytest_ipv6k8s.agent.ports import OWN_SOCKET

LINE = b"ipv6k8s\n"


@dataclass(frozen=True)
class Answer:
    """Whether the server sent a line back; if not, the error."""

    echoed: bool
    error: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """``timeout`` in seconds."""

    timeout: float = 3.0


def perform(request: Request) -> Answer:
    started = time.monotonic()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(request.timeout)
            sock.connect(OWN_SOCKET)
            sock.sendall(LINE)
            echoed = sockets.read_to_end(sock) == LINE
    except OSError as error:
        return Answer(echoed=False, error=sockets.name_of_error(error))
    return Answer(echoed=echoed, seconds=time.monotonic() - started)
