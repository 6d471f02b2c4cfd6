"""Send one DNS message and bring back the reply, as bytes: parsing is the host's work."""

from __future__ import annotations

import base64
import socket
import struct
from dataclasses import dataclass

from pytest_ipv6k8s.agent import ops, sockets


@dataclass(frozen=True)
class Answer:
    """``wire`` is the reply in base64; empty when there was none, then ``error`` says why."""

    wire: str = ""
    local: str = ""
    error: str = ""


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """``wire`` is the query in base64, ``transport`` is udp or tcp; ``timeout`` in seconds.

    Over UDP the query is sent up to ``sends`` times within the timeout, as stub resolvers do;
    each request has a socket, and so a source port, of its own.
    """

    awaits_one = True
    server: str
    wire: str
    transport: str = "udp"
    port: int = 53
    timeout: float = 5.0
    sends: int = 3


def perform(request: Request) -> Answer:
    query = base64.b64decode(request.wire)
    exchange = _over_tcp if request.transport == "tcp" else _over_udp
    try:
        reply, local = exchange(request, query)
    except OSError as error:
        return Answer(error=sockets.name_of_error(error))
    return Answer(wire=base64.b64encode(reply).decode(), local=local)


def _over_udp(request: Request, query: bytes) -> "tuple[bytes, str]":
    with socket.socket(sockets.family_of(request.server), socket.SOCK_DGRAM) as sock:
        sock.settimeout(request.timeout / request.sends)
        sock.connect((request.server, request.port))
        for _ in range(request.sends):
            sock.send(query)
            try:
                reply = sock.recv(65535)
            except socket.timeout:
                continue
            if reply[:2] == query[:2]:
                return reply, sockets.local_address(sock)
    raise socket.timeout("no reply to this query")


def _over_tcp(request: Request, query: bytes) -> "tuple[bytes, str]":
    with sockets.connect(request.server, request.port, request.timeout) as sock:
        local = sockets.local_address(sock)
        sock.sendall(struct.pack("!H", len(query)) + query)
        (size,) = struct.unpack("!H", _exactly(sock, 2))
        return _exactly(sock, size), local


def _exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            raise ConnectionResetError(104, "closed in mid-message")
        data += part
    return data
