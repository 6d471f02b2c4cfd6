"""Ask a forward proxy for a tunnel (HTTP CONNECT, RFC 9110 section 9.3.6), and fetch a page in it.

The way to the proxy is IPv6; which family the proxy uses is its own affair.
"""

from __future__ import annotations

import http.client
import socket
from dataclasses import dataclass

from pytest_ipv6k8s.agent import http1, ops, sockets


@dataclass(frozen=True)
class Answer:
    """``granted`` is the proxy's status for the tunnel, ``status`` that of the page; 0: no reply.

    ``pod`` and ``seen_source`` are what the page said. ``local`` is our end of the connection to
    the proxy.
    """

    granted: int = 0
    status: int = 0
    local: str = ""
    pod: str = ""
    seen_source: str = ""
    error: str = ""


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """``host`` (a name or an address) and ``port`` of the proxy; those of the page's server."""

    awaits_one = True
    host: str
    port: int
    target: str
    target_port: int
    path: str = "/"
    timeout: float = sockets.BY_NAME


def perform(request: Request) -> Answer:
    try:
        sock = sockets.connect_to(request.host, request.port, request.timeout, only_ipv6=True)
    except OSError as error:
        return Answer(error=sockets.name_of_error(error))
    with sock:
        local, granted = sockets.local_address(sock), 0
        try:
            authority = sockets.authority(request.target, request.target_port)
            granted = _tunnel(sock, authority)
            if granted // 100 != 2:
                return Answer(granted=granted, local=local)
            page = http1.get(sock, request.path, authority)
            reply = sockets.identity(page.read())
        except (OSError, http.client.HTTPException) as error:
            return Answer(granted=granted, local=local, error=sockets.name_of_error(error))
    return Answer(
        granted=granted,
        status=page.status,
        local=local,
        pod=reply.get("pod", ""),
        seen_source=reply.get("source", ""),
    )


def _tunnel(sock: socket.socket, authority: str) -> int:
    """Ask for the tunnel; read no further than the head, what follows belongs to the page."""
    sock.sendall(("CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (authority, authority)).encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        part = sock.recv(1)
        if not part or len(head) > 65536:
            raise http.client.BadStatusLine(head[:80].decode(errors="replace"))
        head += part
    words = head.split(b"\r\n")[0].split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        raise http.client.BadStatusLine(head[:80].decode(errors="replace"))
    return int(words[1])
