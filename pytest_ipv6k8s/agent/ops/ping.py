"""Send ICMP or ICMPv6 echo requests from an unprivileged socket."""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import dataclass

from pytest_ipv6k8s.agent import ops, sockets


@dataclass(frozen=True)
class Answer:
    """``permitted`` is false where the pod may not send echo requests; then nothing was sent."""

    permitted: bool
    sent: int = 0
    received: int = 0
    local: str = ""
    error: str = ""


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """A literal address; ``size`` is the payload in bytes, ``timeout`` is for all requests."""

    awaits_one = True
    address: str
    count: int = 1
    size: int = 56
    timeout: float = 3.0


def perform(request: Request) -> Answer:
    family = sockets.family_of(request.address)
    protocol = socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
    try:
        sock = socket.socket(family, socket.SOCK_DGRAM, protocol)
    except PermissionError as error:
        return Answer(permitted=False, error=sockets.name_of_error(error))
    with sock:
        sock.settimeout(request.timeout / request.count)
        try:
            sock.connect((request.address, 0))
        except OSError as error:
            return Answer(permitted=True, error=sockets.name_of_error(error))
        return _exchange(sock, request, 128 if family == socket.AF_INET6 else 8)


def _exchange(sock: socket.socket, request: Request, kind: int) -> Answer:
    received, failure = 0, ""
    body = os.urandom(request.size)
    for number in range(request.count):
        try:
            sock.send(struct.pack("!BBHHH", kind, 0, 0, 0, number) + body)
            received += sock.recv(65535)[8:] == body
        except OSError as error:
            failure = sockets.name_of_error(error)
    return Answer(
        permitted=True,
        sent=request.count,
        received=received,
        local=sockets.local_address(sock),
        error=failure,
    )
