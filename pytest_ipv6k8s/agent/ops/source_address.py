"""Ask the kernel which source address it would choose; no packet is sent."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from pytest_ipv6k8s.agent import ops, sockets


@dataclass(frozen=True)
class Answer:
    """The source address, or why there is none."""

    local: str = ""
    error: str = ""


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """A literal destination address."""

    address: str
    port: int = 9
    timeout: float = 1.0


def perform(request: Request) -> Answer:
    with socket.socket(sockets.family_of(request.address), socket.SOCK_DGRAM) as sock:
        try:
            sock.connect((request.address, request.port))
        except OSError as error:
            return Answer(error=sockets.name_of_error(error))
        return Answer(local=sockets.local_address(sock))
