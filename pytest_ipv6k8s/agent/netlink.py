"""Dumps of the kernel's addresses, routes and neighbours over rtnetlink. Standard library only.

Everything here is read without privileges (rtnetlink(7)); stock images have no ``ip`` program.
"""

from __future__ import annotations

import socket
import struct
from typing import Any, Dict, Iterator, List, Tuple

RTM_GETADDR, RTM_GETROUTE, RTM_GETNEIGH = 22, 26, 30
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_REQUEST_DUMP = 0x301
_HEADER = struct.Struct("=IHHII")
_BODY_SIZES = {RTM_GETADDR: 8, RTM_GETROUTE: 12, RTM_GETNEIGH: 12}

Message = Tuple[bytes, Dict[int, bytes]]


def dump(kind: int, family: int = socket.AF_UNSPEC) -> List[Message]:
    """Return every message of a dump: its fixed body, and its attributes by number.

    Raises:
        OSError: the kernel refused.
    """
    size = _BODY_SIZES[kind]
    body = bytes([family]) + bytes(size - 1)
    found: List[Message] = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
        sock.settimeout(2)
        sock.send(_HEADER.pack(_HEADER.size + size, kind, _REQUEST_DUMP, 1, 0) + body)
        while True:
            for message_kind, payload in _messages(sock.recv(1 << 18)):
                if message_kind == _NLMSG_DONE:
                    return found
                if message_kind == _NLMSG_ERROR:
                    raise OSError(-struct.unpack_from("=i", payload)[0], "rtnetlink refused")
                found.append((payload[:size], attributes(payload[size:])))


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
