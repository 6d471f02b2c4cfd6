"""Send a datagram that goes so far at most, and say which ICMP error it meets, and whose."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from dataclasses import dataclass

from pytest_ipv6k8s.agent import ops, sockets

IPV6_RECVERR, IP_RECVERR, MSG_ERRQUEUE = 25, 11, 0x2000
EACH = 1.0
"""Seconds between two tries: for so long Linux may stay silent towards one peer."""
EXTENDED_ERROR = struct.Struct("=IBBBBII")


@dataclass(frozen=True)
class Answer:
    """``icmp_type`` and ``icmp_code`` of the complaint, -1 when there was none; who sent it."""

    icmp_type: int = -1
    icmp_code: int = -1
    offender: str = ""
    local: str = ""
    error: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """A literal address, a UDP port and the hop limit; ``timeout`` in seconds, one for each try.

    Nodes must send few ICMPv6 errors in a row, to whatever check asks for them (RFC 4443 section
    2.4): Linux sends six, then one a second (net.ipv6.icmp.ratelimit, before 6.18). So one that
    stays out proves nothing.
    """

    awaits_one = True
    address: str
    port: int
    hops: int = 1
    timeout: float = 6.0


def perform(request: Request) -> Answer:
    started = time.monotonic()
    family = sockets.family_of(request.address)
    six = family == socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        level = socket.IPPROTO_IPV6 if six else socket.IPPROTO_IP
        sock.setsockopt(level, IPV6_RECVERR if six else IP_RECVERR, 1)
        sock.setsockopt(level, socket.IPV6_UNICAST_HOPS if six else socket.IP_TTL, request.hops)
        try:
            sock.connect((request.address, request.port))
        except OSError as error:
            return Answer(error=sockets.name_of_error(error))
        local = sockets.local_address(sock)
        for _ in range(max(1, round(request.timeout / EACH))):
            found = _complaint(sock, EACH)
            if found is not None:
                kind, code, offender = found
                seconds = time.monotonic() - started
                return Answer(kind, code, offender, local, seconds=seconds)
    return Answer(local=local, error="ETIMEDOUT", seconds=time.monotonic() - started)


def _complaint(sock: socket.socket, wait: float) -> "tuple[int, int, str] | None":
    with contextlib.suppress(OSError):
        sock.send(b"ipv6k8s")
    sock.settimeout(wait)
    with contextlib.suppress(OSError):
        sock.recv(65535)
    sock.setblocking(False)
    try:
        _, ancillary, _, _ = sock.recvmsg(512, 512, MSG_ERRQUEUE)
    except OSError:
        return None
    for _, _, data in ancillary:
        if len(data) >= EXTENDED_ERROR.size:
            _, _, kind, code, _, _, _ = EXTENDED_ERROR.unpack_from(data)
            return kind, code, _offender(data[EXTENDED_ERROR.size :])
    return None


def _offender(address: bytes) -> str:
    if len(address) >= 24 and struct.unpack_from("=H", address)[0] == socket.AF_INET6:
        return socket.inet_ntop(socket.AF_INET6, address[8:24])
    if len(address) >= 8 and struct.unpack_from("=H", address)[0] == socket.AF_INET:
        return socket.inet_ntop(socket.AF_INET, address[4:8])
    return ""
