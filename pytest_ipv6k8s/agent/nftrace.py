"""Which rule or policy of nftables drops packets, from the kernel's own trace (nft(8), nftrace).

A table of our own marks the packets of a few addresses; the kernel removes it as soon as our
socket closes, also when we are killed (NFT_TABLE_F_OWNER, Linux 5.12). Rules that `iptables-nft`
made are seen, those of `iptables-legacy` and of programs in the kernel are not. Standard library
only.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from dataclasses import dataclass
from typing import Dict, Iterator, List, Sequence, Tuple

from pytest_ipv6k8s.agent.netlink import attributes

TABLE = b"ipv6k8s-watch\0"
PRIORITY = -450
"""Before whatever others do: connection tracking begins at -200, raw at -300."""
_NETFILTER, _SUBSYSTEM = 12, 10
_BEGIN, _END = 0x10, 0x11
_NEW_TABLE, _NEW_CHAIN, _NEW_RULE, _TRACE = 0, 3, 6, 17
_REQUEST, _ACK, _CREATE, _APPEND = 0x1, 0x4, 0x400, 0x800
_OWNER = 0x2
_SOL_NETLINK, _ADD_MEMBERSHIP, _TRACES = 270, 1, 9
_NESTED = 0x8000
_HOOKS = {"prerouting": 0, "output": 3}
_FAMILIES = {4: 2, 6: 10}
_FAMILY_NAMES = {1: "inet", 2: "ip", 5: "netdev", 7: "bridge", 10: "ip6"}
_PLACES = {4: (12, 16, 4), 6: (8, 24, 16)}
"""Where source and destination are in the header of a family, and how long they are."""
_POLICY, _RULE, _DROP = 1, 3, 0
_MESSAGE = struct.Struct("=IHHII")
MOST = 4000


@dataclass(frozen=True)
class Verdict:
    """A packet that was dropped: by which table, chain, and rule (its handle) or policy; from
    where to where, as far as the kernel told."""

    family: str
    table: str
    chain: str
    rule: int
    policy: bool
    source: str
    destination: str


class Trace:
    """Follows the packets of a few addresses through all rules, from now on.

    Args:
        addresses: from or to which packets are followed; of one family.

    Raises:
        OSError: the kernel does not let us, or has no nftables.
    """

    def __init__(self, addresses: Sequence[str]) -> None:
        self._rules = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETFILTER)
        self._traces = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETFILTER)
        self._headers: Dict[int, Tuple[str, str]] = {}
        self.drops: Dict[Verdict, float] = {}
        self.messages = 0
        try:
            self._traces.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            self._traces.bind((0, 0))  # the kernel tells nothing to a socket without a name
            self._traces.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, _TRACES)
            for version in sorted({6 if ":" in address else 4 for address in addresses}):
                mine = [address for address in addresses if (":" in address) == (version == 6)]
                self._follow(version, mine)
        except OSError:
            self.close()
            raise

    def fileno(self) -> int:
        """Return what select waits for."""
        return self._traces.fileno()

    def take(self) -> None:
        """Take in what the kernel tells of some packets."""
        data = self._traces.recv(1 << 18)
        while len(data) >= _MESSAGE.size:
            length, kind, _, _, _ = _MESSAGE.unpack_from(data)
            if kind == (_SUBSYSTEM << 8 | _TRACE):
                self.messages += 1
                self._note(data[_MESSAGE.size : length])
            data = data[(length + 3) & ~3 :]

    def close(self) -> None:
        """End it; the kernel removes the table."""
        self._rules.close()
        self._traces.close()

    def _follow(self, version: int, addresses: Sequence[str]) -> None:
        family = _FAMILIES[version]
        table = _attribute(1, TABLE)
        batch = [_message(_NEW_TABLE, family, table + _attribute(2, _u32(_OWNER)), _CREATE)]
        for hook, number in _HOOKS.items():
            name = hook.encode() + b"\0"
            where = _attribute(1, _u32(number)) + _attribute(2, struct.pack("!i", PRIORITY))
            chain = table + _attribute(3, name) + _attribute(4 | _NESTED, where)
            chain += _attribute(7, b"filter\0")
            batch.append(_message(_NEW_CHAIN, family, chain, _CREATE))
            for address in addresses:
                for rule in _marking(version, address):
                    body = table + _attribute(2, name) + _attribute(4 | _NESTED, rule)
                    batch.append(_message(_NEW_RULE, family, body, _CREATE | _APPEND))
        self._commit(batch)

    def _commit(self, batch: List[bytes]) -> None:
        first, last = (_batch(kind) for kind in (_BEGIN, _END))
        self._rules.settimeout(2)
        self._rules.send(first + b"".join(batch) + last)
        for _ in batch:
            data = self._rules.recv(1 << 16)
            error = -struct.unpack_from("=i", data, _MESSAGE.size)[0]
            if error:
                raise OSError(error, os.strerror(error))

    def _note(self, payload: bytes) -> None:
        family, found = payload[0], attributes(payload[4:])
        packet = struct.unpack("!I", found.get(6, bytes(4)))[0]
        if 8 in found:
            self._headers[packet] = _ends(found[8])
        verdict = attributes(found.get(5, b"")).get(1, b"\xff\xff\xff\xff")
        kind = struct.unpack("!I", found.get(4, bytes(4)))[0]
        by_rule = kind == _RULE and verdict == bytes(4)
        by_policy = kind == _POLICY and found.get(16, b"\1") == bytes(4)
        if not by_rule and not by_policy:
            return
        handle = struct.unpack("!Q", found.get(3, bytes(8)))[0]
        source, destination = self._headers.get(packet, ("", ""))
        dropped = Verdict(
            _FAMILY_NAMES.get(family, str(family)),
            _text(found.get(1, b"")),
            _text(found.get(2, b"")),
            0 if by_policy else handle,
            by_policy,
            source,
            destination,
        )
        self.drops.setdefault(dropped, time.monotonic())


def _marking(version: int, address: str) -> Iterator[bytes]:
    """Yield the expressions of two rules: a packet from or to an address is to be traced."""
    *places, length = _PLACES[version]
    packed = socket.inet_pton(socket.AF_INET6 if version == 6 else socket.AF_INET, address)
    for place in places:
        load = [_u32(1), _u32(1), _u32(place), _u32(length)]
        equal = _attribute(1, _u32(1)) + _attribute(2, _u32(0))
        equal += _attribute(3 | _NESTED, _attribute(1, packed))
        one = _attribute(1, _u32(1)) + _attribute(2 | _NESTED, _attribute(1, b"\1"))
        yield (
            _expression("payload", b"".join(_attribute(n, v) for n, v in enumerate(load, 1)))
            + _expression("cmp", equal)
            + _expression("immediate", one)
            + _expression("meta", _attribute(2, _u32(12)) + _attribute(3, _u32(1)))
        )


def _expression(name: str, body: bytes) -> bytes:
    data = _attribute(1, name.encode() + b"\0") + _attribute(2 | _NESTED, body)
    return _attribute(1 | _NESTED, data)


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _message(kind: int, family: int, body: bytes, flags: int) -> bytes:
    data = struct.pack("!BBH", family, 0, 0) + body
    return _headed(_SUBSYSTEM << 8 | kind, _REQUEST | _ACK | flags, data)


def _batch(kind: int) -> bytes:
    return _headed(kind, _REQUEST, struct.pack("!BBH", 0, 0, _SUBSYSTEM))


def _headed(kind: int, flags: int, data: bytes) -> bytes:
    return _MESSAGE.pack(_MESSAGE.size + len(data), kind, flags, 1, 0) + data


def _u32(number: int) -> bytes:
    return struct.pack("!I", number)


def _text(data: bytes) -> str:
    return data.rstrip(b"\0").decode("utf-8", "replace")


def _ends(header: bytes) -> Tuple[str, str]:
    """Return the addresses of a network header."""
    version = header[0] >> 4 if header else 0
    if version not in _PLACES:
        return "", ""
    *places, length = _PLACES[version]
    family = socket.AF_INET6 if version == 6 else socket.AF_INET
    ends = [header[place : place + length] for place in places]
    if any(len(end) != length for end in ends):
        return "", ""
    return socket.inet_ntop(family, ends[0]), socket.inet_ntop(family, ends[1])
