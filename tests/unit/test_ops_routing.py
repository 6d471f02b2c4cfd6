"""The routing tables and rules of a node, as ip(8) writes them."""

from __future__ import annotations

import socket
import struct

import pytest

from pytest_ipv6k8s.agent import netlink
from pytest_ipv6k8s.agent.ops import routing

LO = socket.if_nametoindex("lo")
V6, V4 = socket.AF_INET6, socket.AF_INET


def _number(value: int) -> bytes:
    return struct.pack("=I", value)


def _packed(address: str) -> bytes:
    return socket.inet_pton(V6 if ":" in address else V4, address)


def _route(family: int, length: int, *, table: int = 254, kind: int = 1) -> bytes:
    return struct.pack("=BBBBBBBBI", family, length, 0, 0, table, 0, 0, kind, 0)


def _rule(*, source: int = 0, table: int = 254, action: int = 1, flags: int = 0) -> bytes:
    return struct.pack("=BBBBBBBBI", V6, 0, source, 0, table, 0, 0, action, flags)


def _hop(gateway: str) -> bytes:
    inner = struct.pack("=HH", 20, 5) + _packed(gateway)
    return struct.pack("=HBBi", 8 + len(inner), 0, 0, LO) + inner


@pytest.mark.parametrize(
    ("body", "attributes", "line"),
    [
        (
            _route(V6, 0),
            {5: _packed("fe80::1"), 4: _number(LO), 6: _number(1024)},
            "-6 default via fe80::1 dev lo table main metric 1024",
        ),
        (
            _route(V6, 64, table=252),
            {1: _packed("fd00::"), 15: _number(1000), 9: _hop("fe80::1") + _hop("fe80::2")},
            "-6 fd00::/64 nexthop via fe80::1 dev lo nexthop via fe80::2 dev lo table 1000",
        ),
        (
            _route(V4, 24),
            {1: _packed("192.0.2.0"), 18: struct.pack("=H", V6) + _packed("fe80::1")},
            "-4 192.0.2.0/24 via fe80::1 table main",
        ),
        (
            _route(V6, 48, kind=7),
            {1: _packed("fd00::")},
            "-6 unreachable fd00::/48 table main",
        ),
        (_route(128, 0), {}, ""),
    ],
)
def test_a_route_is_a_line(body: bytes, attributes: dict[int, bytes], line: str) -> None:
    assert routing.route_line(body, attributes) == line


@pytest.mark.parametrize(
    ("body", "attributes", "line"),
    [
        (_rule(table=255), {}, "-6 0: from all lookup local"),
        (
            _rule(source=128, flags=2),
            {2: _packed("fd00::5"), 6: _number(110), 15: _number(1000), 3: b"eth0\0"},
            "-6 110: not from fd00::5/128 iif eth0 lookup 1000",
        ),
        (
            _rule(),
            {6: _number(9), 10: _number(0x200), 16: _number(0xF00), 15: _number(2004)},
            "-6 9: from all fwmark 0x200/0xf00 lookup 2004",
        ),
        (_rule(action=7), {}, "-6 0: from all unreachable"),
    ],
)
def test_a_rule_is_a_line(body: bytes, attributes: dict[int, bytes], line: str) -> None:
    assert routing.rule_line(body, attributes) == line


def test_this_machine_tells_its_own_and_no_more_than_is_asked_for() -> None:
    whole = routing.perform(routing.Request())
    short = routing.perform(routing.Request(most=1))

    assert "-6 0: from all lookup local" in whole.rules
    assert any(line.startswith("-6 local ::1/128 dev lo table local") for line in whole.routes)
    assert (len(short.routes), short.left_out > 0) == (1, True)


def test_ipv6_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    none: dict[int, bytes] = {}
    dumps = {netlink.RTM_GETROUTE: [(_route(V4, 0), none), (_route(V6, 0), none)]}
    monkeypatch.setattr(netlink, "dump", lambda kind: dumps.get(kind, []))

    assert [line[:2] for line in routing.perform(routing.Request()).routes] == ["-6", "-4"]
