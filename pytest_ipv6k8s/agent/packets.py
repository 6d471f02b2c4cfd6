"""Which packets pass which devices of a network, from a packet socket (packet(7)).

A packet is seen as it comes in, before any filter, and as it goes out, after all of them. Standard
library only.
"""

from __future__ import annotations

import socket
import struct
import time
import zlib
from dataclasses import dataclass
from typing import Dict, Iterator, List, Tuple

MOST_PACKETS = 20000
MOST_TIMES = 8
_ALL, _OTHER_HOST, _OUTGOING = 0x0003, 3, 4
_ENOUGH = 256
"""Bytes of a packet that are looked at."""
_BUFFER = 4 << 20
_TIMESTAMPNS = 35
_TIME = struct.Struct("@ll")
TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58
_EXTENSIONS = (0, 43, 44, 60)
_ECHOES = {ICMP: (8, 0), ICMPV6: (128, 129)}
_ERRORS = {ICMP: (3, 11, 12), ICMPV6: (1, 2, 3, 4)}
SYN, RST, ACK = 0x02, 0x04, 0x10


@dataclass(frozen=True)
class Flow:
    """Packets of one kind at one device.

    Attributes:
        device: name of the interface.
        out: whether they left by it; otherwise they came in.
        strange: whether they came in for another link-layer address, as a switch may flood them.
        protocol: number of the transport protocol.
        source, destination: addresses.
        source_port, destination_port: ports; of an echo its identifier, twice.
        key: what no translator changes: the first sequence number of a TCP connection, in both
            directions; a checksum over the payload of others. 0 behind the handshake.
        answer: whether it is a SYN-ACK, a reset or an echo reply.
    """

    device: str
    out: bool
    strange: bool
    protocol: int
    source: str
    destination: str
    source_port: int
    destination_port: int
    key: int
    answer: bool


@dataclass(frozen=True)
class Complaint:
    """An ICMP error: who says what, of a packet from where to where."""

    offender: str
    kind: int
    code: int
    source: str
    destination: str


class Capture:
    """Collects what passes all devices, from the moment on at which it is made.

    Raises:
        PermissionError: packet sockets are not allowed here.
    """

    def __init__(self) -> None:
        kind = socket.SOCK_DGRAM
        self._socket = socket.socket(socket.AF_PACKET, kind, socket.htons(_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self._socket.setsockopt(socket.SOL_SOCKET, _TIMESTAMPNS, 1)
        self._ahead = time.time() - time.monotonic()
        self.flows: Dict[Flow, List[float]] = {}
        self.counts: Dict[Flow, int] = {}
        self.complaints: Dict[Complaint, float] = {}
        self.packets = 0

    def fileno(self) -> int:
        """Return what select waits for."""
        return self._socket.fileno()

    def take(self) -> None:
        """Take in one packet."""
        data, ancillary, _, sender = self._socket.recvmsg(_ENOUGH, 128)
        self.packets += 1
        device, _, kind = sender[:3]
        moment = self._moment(ancillary)
        for found in _read(data):
            if isinstance(found, Complaint):
                self.complaints.setdefault(found, moment)
            else:
                flow = Flow(device, kind == _OUTGOING, kind == _OTHER_HOST, *found)
                times = self.flows.setdefault(flow, [])
                self.counts[flow] = self.counts.get(flow, 0) + 1
                if len(times) < MOST_TIMES:
                    times.append(moment)

    def close(self) -> None:
        """End it."""
        self._socket.close()

    def _moment(self, ancillary: "List[Tuple[int, int, bytes]]") -> float:
        for _, kind, data in ancillary:
            if kind == _TIMESTAMPNS and len(data) >= _TIME.size:
                seconds, nanoseconds = _TIME.unpack_from(data)
                return float(seconds + nanoseconds / 1e9 - self._ahead)
        return time.monotonic()


Found = Tuple[int, str, str, int, int, int, bool]


def _read(data: bytes) -> "Iterator[Complaint | Found]":
    """Yield what a packet is; nothing where that is not known."""
    try:
        protocol, source, destination, rest = _network(data)
        if protocol == TCP:
            yield (protocol, source, destination, *_tcp(rest))
        elif protocol == UDP:
            ports = struct.unpack_from("!HH", rest)
            yield (protocol, source, destination, *ports, zlib.crc32(rest[8:]), False)
        elif protocol in _ECHOES and rest[0] in _ECHOES[protocol]:
            name = struct.unpack_from("!H", rest, 4)[0]
            answer = rest[0] == _ECHOES[protocol][1]
            yield (protocol, source, destination, name, name, zlib.crc32(rest[6:]), answer)
        elif protocol in _ERRORS and rest[0] in _ERRORS[protocol]:
            _, inner_source, inner_destination, _ = _network(rest[8:])
            yield Complaint(source, rest[0], rest[1], inner_source, inner_destination)
    except (struct.error, IndexError, ValueError):
        return


def _tcp(rest: bytes) -> "Tuple[int, int, int, bool]":
    source, destination, sequence, acknowledged = struct.unpack_from("!HHII", rest)
    flags = rest[13]
    if flags & SYN and not flags & ACK:
        return source, destination, sequence, False
    if flags & SYN or (flags & RST and flags & ACK):
        return source, destination, (acknowledged - 1) % (1 << 32), True
    return source, destination, 0, False


def _network(data: bytes) -> "Tuple[int, str, str, bytes]":
    """Return the transport protocol, both addresses and what follows."""
    version = data[0] >> 4
    if version == 4:
        start = (data[0] & 0xF) * 4
        ends = [socket.inet_ntop(socket.AF_INET, data[n : n + 4]) for n in (12, 16)]
        return data[9], ends[0], ends[1], data[start:]
    if version != 6:
        raise ValueError("neither IPv4 nor IPv6")
    ends = [socket.inet_ntop(socket.AF_INET6, data[n : n + 16]) for n in (8, 24)]
    protocol, rest = data[6], data[40:]
    while protocol in _EXTENSIONS:
        size = 8 if protocol == 44 else (rest[1] + 1) * 8
        protocol, rest = rest[0], rest[size:]
    return protocol, ends[0], ends[1], rest
