"""Fetch a page over plain HTTP; say who answered and which source it saw."""

from __future__ import annotations

import http.client
from dataclasses import dataclass

from pytest_ipv6k8s.agent import http1, ops, sockets


@dataclass(frozen=True)
class Answer:
    """``status`` is 0 when there was no reply; then ``error`` says why."""

    status: int
    local: str = ""
    pod: str = ""
    seen_source: str = ""
    error: str = ""


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """A literal address, a port, and a path; ``timeout`` in seconds."""

    address: str
    port: int
    path: str = "/"
    timeout: float = 3.0


def perform(request: Request) -> Answer:
    try:
        with sockets.connect(request.address, request.port, request.timeout) as sock:
            authority = sockets.authority(request.address, request.port)
            response = http1.get(sock, request.path, authority)
            reply = sockets.identity(response.read())
            local = sockets.local_address(sock)
    except (OSError, http.client.HTTPException) as error:
        return Answer(status=0, error=sockets.name_of_error(error))
    return Answer(
        status=response.status,
        local=local,
        pod=reply.get("pod", ""),
        seen_source=reply.get("source", ""),
    )
