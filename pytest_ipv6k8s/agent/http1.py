"""A page over HTTP/1.1; apart from sockets, because most agents need no HTTP."""

from __future__ import annotations

import http.client
import socket
from typing import Dict, Optional


def get(
    sock: socket.socket, path: str, authority: str, headers: Optional[Dict[str, str]] = None
) -> http.client.HTTPResponse:
    """Ask for a page on a connection that stands; the response's body is still to be read.

    Raises:
        OSError: the connection broke.
        ValueError: a header has a line end in it.
        http.client.HTTPException: what came was no HTTP.
    """
    lines = ["GET %s HTTP/1.1" % path, "Host: %s" % authority, "Connection: close"]
    lines += ["%s: %s" % header for header in (headers or {}).items()]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a line end in a header")
    sock.sendall("\r\n".join([*lines, "", ""]).encode())
    response = http.client.HTTPResponse(sock)
    response.begin()
    return response
