"""Read all routing tables and the rules that choose among them, as ip(8) writes them."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from typing import Dict, Iterator, Tuple

from pytest_ipv6k8s.agent import netlink, ops

_FAMILIES = {socket.AF_INET6: "-6", socket.AF_INET: "-4"}
_TABLES = {253: "default", 254: "main", 255: "local"}
_KINDS = {2: "local ", 3: "broadcast ", 4: "anycast ", 5: "multicast ", 6: "blackhole "}
_KINDS.update({7: "unreachable ", 8: "prohibit ", 9: "throw "})
_TO_TABLE, _INVERTED = 1, 2
_ACTIONS = {6: "blackhole", 7: "unreachable", 8: "prohibit"}
_DST, _OIF, _GATEWAY, _PRIORITY, _MULTIPATH, _TABLE, _VIA = 1, 4, 5, 6, 9, 15, 18
_RULE_SRC, _RULE_IIF, _RULE_MARK, _RULE_MASK, _RULE_OIF = 2, 3, 10, 16, 17


@dataclass(frozen=True)
class Answer:
    """Each line begins with -6 or -4, IPv6 first; ``left_out`` counts routes above the most."""

    routes: Tuple[str, ...]
    rules: Tuple[str, ...]
    left_out: int = 0


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """At most so many routes: a router may have very many."""

    most: int = 2000
    timeout: float = 3.0


def perform(request: Request) -> Answer:
    routes = [route_line(*message) for message in netlink.dump(netlink.RTM_GETROUTE)]
    kept = sorted(filter(None, routes), key=lambda line: line.startswith("-4"))
    rules = [rule_line(*message) for message in netlink.dump(netlink.RTM_GETRULE)]
    return Answer(
        routes=tuple(kept[: request.most]),
        rules=tuple(sorted(filter(None, rules), key=lambda line: line.startswith("-4"))),
        left_out=max(0, len(kept) - request.most),
    )


def route_line(body: bytes, attributes: Dict[int, bytes]) -> str:
    """Return a route as ``ip route`` writes it; empty for other families than IP."""
    family, length, _, _, table, _, _, kind = struct.unpack("=BBBBBBBB", body[:8])
    if family not in _FAMILIES:
        return ""
    hops = "".join(_hops(attributes)) or "".join(_hop(attributes))
    return "%s %s%s%s table %s%s" % (
        _FAMILIES[family],
        _KINDS.get(kind, ""),
        _prefix(attributes.get(_DST), length, "default"),
        hops,
        _table(attributes, table),
        " metric %d" % _number(attributes[_PRIORITY]) if _PRIORITY in attributes else "",
    )


def _hop(attributes: Dict[int, bytes]) -> Iterator[str]:
    gateway = netlink.text_of(attributes.get(_GATEWAY) or attributes.get(_VIA, b"")[2:])
    if gateway:
        yield " via %s" % gateway
    if _OIF in attributes:
        yield " dev %s" % _interface(_number(attributes[_OIF]))


def _hops(attributes: Dict[int, bytes]) -> Iterator[str]:
    """Yield the ways of a route that has several: struct rtnexthop, each with its attributes."""
    data = attributes.get(_MULTIPATH, b"")
    while len(data) >= 8:
        length, _, _, index = struct.unpack_from("=HBBi", data)
        if length < 8:
            return
        inner = dict(netlink.attributes(data[8:length]))
        inner[_OIF] = struct.pack("=I", index)
        yield " nexthop%s" % "".join(_hop(inner))
        data = data[(length + 3) & ~3 :]


def rule_line(body: bytes, attributes: Dict[int, bytes]) -> str:
    """Return a rule as ``ip rule`` writes it; empty for other families than IP."""
    family, to, source, _, table, _, _, action, flags = struct.unpack("=BBBBBBBBI", body[:12])
    if family not in _FAMILIES:
        return ""
    words = [
        "%s %d:" % (_FAMILIES[family], _number(attributes.get(_PRIORITY, b""))),
        "not" if flags & _INVERTED else "",
        "from %s" % _prefix(attributes.get(_RULE_SRC), source, "all"),
        "to %s" % _prefix(attributes.get(_DST), to, "all") if _DST in attributes else "",
        "fwmark %s" % _mark(attributes) if _RULE_MARK in attributes else "",
        "iif %s" % _name(attributes[_RULE_IIF]) if _RULE_IIF in attributes else "",
        "oif %s" % _name(attributes[_RULE_OIF]) if _RULE_OIF in attributes else "",
        "lookup %s" % _table(attributes, table)
        if action == _TO_TABLE
        else _ACTIONS.get(action, "action %d" % action),
    ]
    return " ".join(filter(None, words))


def _mark(attributes: Dict[int, bytes]) -> str:
    mask = _number(attributes[_RULE_MASK]) if _RULE_MASK in attributes else 0xFFFFFFFF
    return "%#x/%#x" % (_number(attributes[_RULE_MARK]), mask)


def _prefix(address: "bytes | None", length: int, everything: str) -> str:
    return "%s/%d" % (netlink.text_of(address), length) if address else everything


def _table(attributes: Dict[int, bytes], table: int) -> str:
    number = _number(attributes[_TABLE]) if _TABLE in attributes else table
    return _TABLES.get(number, str(number))


def _number(data: bytes) -> int:
    return int(struct.unpack("=I", data)[0]) if len(data) == 4 else 0


def _name(data: bytes) -> str:
    return data.rstrip(b"\0").decode(errors="replace")


def _interface(index: int) -> str:
    try:
        return socket.if_indextoname(index)
    except OSError:
        return str(index)
