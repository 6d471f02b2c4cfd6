"""A page over HTTP/1.1; apart from sockets, because most agents need no HTTP."""

from __future__ import annotations

import http.client
import socket


def get(sock: socket.socket, path: str, authority: str) -> http.client.HTTPResponse:
    """Ask for a page on a connection that stands; the response's body is still to be read.

    Raises:
        OSError: the connection broke.
        http.client.HTTPException: what came was no HTTP.
    """
    head = "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n"
    sock.sendall((head % (path, authority)).encode())
    response = http.client.HTTPResponse(sock)
    response.begin()
    return response
