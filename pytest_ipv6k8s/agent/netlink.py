"""What the kernel knows of links, addresses, routes, rules and neighbours, over rtnetlink.

Standard library only.

Everything here is read without privileges (rtnetlink(7)); stock images have no ``ip`` program.
"""

from __future__ import annotations

import os
import socket
import struct
from typing import Any, Dict, Iterator, List, Tuple

RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, RTM_GETNEIGH, RTM_GETRULE = 18, 22, 26, 30, 34
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_REQUEST, _REQUEST_DUMP = 0x1, 0x301
_RTA_DST, _FIB_MATCH = 1, 0x2000
_HEADER = struct.Struct("=IHHII")
_BODY_SIZES = {
    RTM_GETLINK: 16,
    RTM_GETADDR: 8,
    RTM_GETROUTE: 12,
    RTM_GETNEIGH: 12,
    RTM_GETRULE: 12,
}

Message = Tuple[bytes, Dict[int, bytes]]


def dump(kind: int, family: int = socket.AF_UNSPEC) -> List[Message]:
    """Return every message of a dump: its fixed body, and its attributes by number.

    Raises:
        OSError: the kernel refused.
    """
    body = bytes([family]) + bytes(_BODY_SIZES[kind] - 1)
    return list(_ask(kind, _REQUEST_DUMP, body))


def route_to(address: str) -> Dict[int, bytes]:
    """Return the attributes of the route that a packet to a literal address takes.

    Raises:
        OSError: there is none.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    packed = socket.inet_pton(family, address)
    body = struct.pack("=BB", family, len(packed) * 8) + bytes(_BODY_SIZES[RTM_GETROUTE] - 2)
    wanted = struct.pack("=HH", 4 + len(packed), _RTA_DST) + packed
    _, found = next(_ask(RTM_GETROUTE, _REQUEST, body + wanted))
    return found


def is_default(address: str) -> bool:
    """Tell whether a literal address is led to the default route, and to none of its own.

    Kernels before 4.13 do not tell (RTM_F_FIB_MATCH in linux/rtnetlink.h).
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    packed = socket.inet_pton(family, address)
    body = struct.pack("=BBBBBBBBI", family, len(packed) * 8, 0, 0, 0, 0, 0, 0, _FIB_MATCH)
    wanted = struct.pack("=HH", 4 + len(packed), _RTA_DST) + packed
    try:
        found, _ = next(_ask(RTM_GETROUTE, _REQUEST, body + wanted))
    except OSError:
        return False
    return found[1] == 0


def _ask(kind: int, flags: int, request: bytes) -> Iterator[Message]:
    size = _BODY_SIZES[kind]
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
        sock.settimeout(2)
        sock.send(_HEADER.pack(_HEADER.size + len(request), kind, flags, 1, 0) + request)
        while True:
            for message_kind, payload in _messages(sock.recv(1 << 18)):
                if message_kind == _NLMSG_DONE:
                    return
                if message_kind == _NLMSG_ERROR:
                    number = -struct.unpack_from("=i", payload)[0]
                    raise OSError(number, os.strerror(number))
                yield payload[:size], attributes(payload[size:])


def _messages(data: bytes) -> Iterator[Tuple[int, bytes]]:
    while len(data) >= _HEADER.size:
        length, kind, _, _, _ = _HEADER.unpack_from(data)
        yield kind, data[_HEADER.size : length]
        data = data[(length + 3) & ~3 :]


def attributes(data: bytes) -> Dict[int, bytes]:
    """Return attributes by number, whole; what is nested is taken apart by another call."""
    found: Dict[int, bytes] = {}
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        if length < 4:
            break
        found[kind & 0x3FFF] = data[4:length]
        data = data[(length + 3) & ~3 :]
    return found


def text_of(address: Any) -> str:
    """Return a packed address as text; empty for none."""
    if not address or len(address) not in (4, 16):
        return ""
    return socket.inet_ntop(socket.AF_INET if len(address) == 4 else socket.AF_INET6, address)
