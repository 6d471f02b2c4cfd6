"""Send UDP datagrams one after the other and count the echoes."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from pytest_ipv6k8s.probe import sockets
from pytest_ipv6k8s.probe.ops import Question


@dataclass(frozen=True)
class Answer:
    """How many echoes came back, who sent them and which source it saw."""

    sent: int
    echoed: int
    local: str = ""
    pod: str = ""
    seen_source: str = ""
    error: str = ""


@dataclass(frozen=True)
class Request(Question[Answer]):
    """A literal address and a port; ``timeout`` in seconds is for all ``count`` datagrams."""

    address: str
    port: int
    count: int = 1
    payload: str = "ipv6k8s"
    timeout: float = 3.0


def perform(request: Request) -> Answer:
    with socket.socket(sockets.family_of(request.address), socket.SOCK_DGRAM) as sock:
        sock.settimeout(request.timeout / request.count)
        try:
            sock.connect((request.address, request.port))
        except OSError as error:
            return Answer(sent=0, echoed=0, error=sockets.name_of_error(error))
        return _exchange(sock, request)


def _exchange(sock: socket.socket, request: Request) -> Answer:
    echoed, pod, source, failure = 0, "", "", ""
    for number in range(request.count):
        payload = "%s %d" % (request.payload, number)
        try:
            sock.send(payload.encode())
            said = sockets.identity(sock.recv(65536))
        except OSError as error:
            failure = sockets.name_of_error(error)
            continue
        echoed += said.get("payload") == payload
        pod, source = said.get("pod", ""), said.get("source", "")
    return Answer(
        sent=request.count,
        echoed=echoed,
        local=sockets.local_address(sock),
        pod=pod,
        seen_source=source,
        error=failure,
    )
