"""Open a UDP port that answers with a forged ICMPv6 packet-too-big first, then with a datagram.

It needs the right to send raw packets, as root has in a target's own network namespace.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from dataclasses import dataclass

from pytest_ipv6k8s.agent import ops, sockets

PACKET_TOO_BIG, UDP = 2, 17


@dataclass(frozen=True)
class Answer:
    """``port`` is the open one; 0 with ``error`` when there is none."""

    port: int = 0
    error: str = ""


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """``address`` is the asked host's own; the forged messages tell of ``mtu`` bytes.

    The port is closed after ``timeout`` seconds.
    """

    address: str
    mtu: int
    timeout: float = 5.0


def perform(request: Request) -> Answer:
    try:
        raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    except OSError as error:
        return Answer(error=sockets.name_of_error(error))
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    try:
        sock.bind((request.address, 0))
        raw.bind((request.address, 0))
    except OSError as error:
        raw.close()
        sock.close()
        return Answer(error=sockets.name_of_error(error))
    port = sock.getsockname()[1]
    threading.Thread(target=_serve, args=(sock, raw, request), daemon=True).start()
    return Answer(port=port)


def _serve(sock: socket.socket, raw: socket.socket, request: Request) -> None:
    deadline = time.monotonic() + request.timeout
    with sock, raw:
        while time.monotonic() < deadline:
            sock.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                _, peer = sock.recvfrom(65536)
                own = (request.address, sock.getsockname()[1])
                raw.sendto(too_big(request.mtu, sender=peer[:2], receiver=own), (peer[0], 0))
                sock.sendto(b"forged", peer)
            except OSError:
                continue


def too_big(mtu: int, *, sender: tuple[str, int], receiver: tuple[str, int]) -> bytes:
    """Return the ICMPv6 message (RFC 4443 section 3.2) about a datagram of sender to receiver.

    The checksum is left to the kernel.
    """
    size = sockets.SMALLEST_MTU - 40  # the datagram pretends to have filled that, with its headers
    ipv6 = struct.pack("!IHBB", 6 << 28, size, UDP, 64)
    ipv6 += socket.inet_pton(socket.AF_INET6, sender[0])
    ipv6 += socket.inet_pton(socket.AF_INET6, receiver[0])
    udp = struct.pack("!HHHH", sender[1], receiver[1], size, 0)
    return struct.pack("!BBHI", PACKET_TOO_BIG, 0, 0, mtu) + ipv6 + udp + bytes(64)
