"""Fetch a page over plain HTTP; say who answered, which source it saw, and what the page says."""

from __future__ import annotations

import http.client
from dataclasses import dataclass, field
from typing import Dict

from pytest_ipv6k8s.agent import http1, ops, sockets

LONGEST = 1 << 16


@dataclass(frozen=True)
class Answer:
    """``status`` is 0 when there was no reply; then ``error`` says why.

    Names of ``headers`` are in small letters. ``body`` is kept where that was asked for.
    """

    status: int
    local: str = ""
    pod: str = ""
    seen_source: str = ""
    error: str = ""
    headers: Dict[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """A literal address, a port, and a path; ``timeout`` in seconds.

    ``host`` stands in the Host header, as for a Gateway or an Ingress; without, it is the address.
    ``keep`` is how many bytes of the body are kept, at most 65536; with 0, no headers are either.
    """

    awaits_one = True
    address: str
    port: int
    path: str = "/"
    host: str = ""
    headers: Dict[str, str] = field(default_factory=dict)
    keep: int = LONGEST
    timeout: float = 3.0


def perform(request: Request) -> Answer:
    authority = request.host or sockets.authority(request.address, request.port)
    try:
        with sockets.connect(request.address, request.port, request.timeout) as sock:
            response = http1.get(sock, request.path, authority, request.headers)
            page = response.read(LONGEST)
            local = sockets.local_address(sock)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return Answer(status=0, error=sockets.name_of_error(error))
    reply = sockets.identity(page)
    return Answer(
        status=response.status,
        local=local,
        pod=reply.get("pod", ""),
        seen_source=reply.get("source", ""),
        headers={k.lower(): v for k, v in response.getheaders()} if request.keep else {},
        body=page[: request.keep].decode("utf-8", "replace"),
    )
