"""Send UDP datagrams one after the other and count the echoes."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from pytest_ipv6k8s.agent import ops, sockets
from pytest_ipv6k8s.agent.ports import PADDING, ROOM

FRAGMENTED = "fragmented"


@dataclass(frozen=True)
class Answer:
    """How many echoes came back, who sent them, which source and port it saw.

    Only what comes from the very address and port that were asked is an echo.
    ``local_port`` is our own port. ``fragments`` is how many IPv6 fragments the pod's network
    namespace made of what was filled up, -1 where its kernel does not tell.
    """

    sent: int
    echoed: int
    local: str = ""
    pod: str = ""
    seen_source: str = ""
    error: str = ""
    local_port: int = 0
    seen_port: int = 0
    fragments: int = -1


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """A literal address and a port; ``timeout`` in seconds is for all ``count`` datagrams.

    ``source_port`` is our own port, 0 for any. EADDRINUSE says that it was taken. ``how`` is
    :data:`FRAGMENTED`, with as much more payload as no packet of the path takes whole, or empty.
    """

    awaits_one = True
    address: str
    port: int
    count: int = 1
    payload: str = "ipv6k8s"
    timeout: float = 3.0
    source_port: int = 0
    how: str = ""


def perform(request: Request) -> Answer:
    with socket.socket(sockets.family_of(request.address), socket.SOCK_DGRAM) as sock:
        sock.settimeout(request.timeout / request.count)
        try:
            if request.source_port:
                sock.bind(("", request.source_port))
            sock.connect((request.address, request.port))
        except OSError as error:
            return Answer(sent=0, echoed=0, error=sockets.name_of_error(error))
        return _exchange(sock, request)


def _exchange(sock: socket.socket, request: Request) -> Answer:
    echoes, last, failure = set(), {}, ""
    fragmented = request.how == FRAGMENTED
    least = min(sockets.path_mtu(sock), sockets.LARGEST_DATAGRAM // 2) if fragmented else 0
    wanted = ["%s %d" % (request.payload.ljust(least, "x"), n) for n in range(request.count)]
    made = sockets.fragments_made() if fragmented else None
    for payload in wanted:
        try:
            sock.send(payload.encode() + PADDING * ROOM)
            while payload not in echoes:
                last = sockets.identity(sock.recv(65536))
                echoes.add(last.get("payload"))
                if not last:
                    break
        except OSError as error:
            failure = sockets.name_of_error(error)
    return Answer(
        sent=request.count,
        echoed=len(echoes & {*wanted}),
        local=sockets.local_address(sock),
        pod=last.get("pod", ""),
        seen_source=last.get("source", ""),
        error=failure,
        local_port=sock.getsockname()[1],
        seen_port=last.get("port", 0),
        fragments=sockets.fragments_since(made),
    )
