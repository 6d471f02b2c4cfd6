"""Keep a UDP port open, and say later what came to it and from where; nothing is answered.

It hears what a reply would never reach, so it also tells of sources that nobody routes back.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import Dict, List, Tuple

from pytest_ipv6k8s.agent import ops, sockets
from pytest_ipv6k8s.agent.ports import PADDING

_open: Dict[int, socket.socket] = {}


@dataclass(frozen=True)
class Datagram:
    """What came, and from whom."""

    source: str
    port: int
    payload: str


@dataclass(frozen=True)
class Answer:
    """``port`` is the open one; 0 with ``error`` when there is none. ``received`` is what came."""

    port: int = 0
    received: Tuple[Datagram, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """With ``port`` 0: open one on ``address``. With a port: say what came there, and close it.

    An inbox is closed when ``wanted`` datagrams came or ``timeout`` has passed. ``own_port`` is
    the one to open, 0 for any.
    """

    address: str
    port: int = 0
    wanted: int = 0
    timeout: float = 1.0
    own_port: int = 0


def perform(request: Request) -> Answer:
    if request.port:
        return _close(request)
    sock = socket.socket(sockets.family_of(request.address), socket.SOCK_DGRAM)
    try:
        sock.bind((request.address, request.own_port))
    except OSError as error:
        sock.close()
        return Answer(error=sockets.name_of_error(error))
    port = sock.getsockname()[1]
    _open[port] = sock
    return Answer(port=port)


def _close(request: Request) -> Answer:
    sock = _open.pop(request.port, None)
    if sock is None:
        return Answer(error="no such inbox")
    received: List[Datagram] = []
    deadline = time.monotonic() + request.timeout
    with sock:
        while len(received) < request.wanted:
            sock.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                data, peer = sock.recvfrom(65536)
            except OSError:
                break
            source = sockets.unmapped(peer[0])
            text = data.rstrip(PADDING).decode(errors="replace")
            received.append(Datagram(source, peer[1], text))
    return Answer(port=request.port, received=tuple(received))
