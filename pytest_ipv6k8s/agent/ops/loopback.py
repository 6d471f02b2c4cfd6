"""Listen on a local address and connect to it."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from pytest_ipv6k8s.agent import ops, sockets


@dataclass(frozen=True)
class Answer:
    """Whether a connection to the listener was opened; if not, the error."""

    works: bool
    error: str = ""


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """A literal address of the pod itself; ``timeout`` in seconds."""

    address: str
    timeout: float = 1.0


def perform(request: Request) -> Answer:
    try:
        with socket.socket(sockets.family_of(request.address), socket.SOCK_STREAM) as listener:
            listener.bind((request.address, 0))
            listener.listen(1)
            port = listener.getsockname()[1]
            sockets.connect(request.address, port, request.timeout).close()
    except OSError as error:
        return Answer(works=False, error=sockets.name_of_error(error))
    return Answer(works=True)
