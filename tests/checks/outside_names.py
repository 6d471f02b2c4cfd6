"""The fake testbed's resolver: the real zone files, and an honest DNS64."""

from __future__ import annotations

import functools
from pathlib import Path

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.zone

from pytest_ipv6k8s.addresses import embed, extract, in_any
from pytest_ipv6k8s.testbed import layout

SERVERS = Path(__file__).parents[2] / "fixtures" / "testbed" / "servers"
ZONES = {
    "ipv6k8s.test.": "ipv6k8s.test.zone",
    "ipv4only.arpa.": "ipv4only.arpa.zone",
    "100.51.198.in-addr.arpa.": "198.51.100.zone",
}
SOA_TTL = 300
PREFIX = layout.NAT64_PREFIXES[0]


@functools.cache
def _zone(origin: str) -> dns.zone.Zone:
    text = (SERVERS / ZONES[origin]).read_text("utf-8")
    return dns.zone.from_text(text, origin=origin, relativize=False)


def knows(name: str) -> bool:
    """Tell whether the outside's resolver is asked for a name."""
    return name.endswith(tuple(ZONES)) or _synthetic(name) != ""


def answer(reply: dns.message.Message) -> None:
    """Fill in the answers of a reply."""
    request = reply.question[0]
    name, kind = request.name.to_text().lower(), dns.rdatatype.to_text(request.rdtype)
    inside = _synthetic(name)
    if inside:
        reverse = dns.name.from_text(".".join(reversed(inside.split("."))) + ".in-addr.arpa.")
        _add(reply, name, "CNAME", [reverse.to_text()], 300)
        name = reverse.to_text()
    if "servfail" in name and kind == "AAAA":
        reply.set_rcode(dns.rcode.SERVFAIL)
        return
    end = _follow(reply, name)
    found, ttl = _data(end, kind)
    if kind == "AAAA":
        found = [a for a in found if not in_any(a, ["::ffff:0:0/96"])]
        if not found:
            addresses, ttl = _data(end, "A")
            found, ttl = [embed(PREFIX, a) for a in addresses], min(ttl, SOA_TTL)
    if found:
        _add(reply, end, kind, found, ttl)
        return
    if not _exists(end):
        reply.set_rcode(dns.rcode.NXDOMAIN)
    for origin in ZONES:
        if end.endswith(origin):
            soa = _zone(origin).get_rrset(origin, "SOA")
            data = [item.to_text() for item in soa or ()]
            reply.authority.append(dns.rrset.from_text(origin, SOA_TTL, "IN", "SOA", *data))


def addresses(name: str) -> list[str]:
    """Return what the C library would find, IPv6 first."""
    native, _ = _data(name, "AAAA")
    ipv4, _ = _data(name, "A")
    return [*(native or [embed(PREFIX, a) for a in ipv4]), *ipv4]


def _follow(reply: dns.message.Message, name: str) -> str:
    targets, ttl = _data(name, "CNAME")
    while targets:
        _add(reply, name, "CNAME", targets, ttl)
        name = targets[0]
        targets, ttl = _data(name, "CNAME")
    return name


def _add(reply: dns.message.Message, name: str, kind: str, data: list[str], ttl: int) -> None:
    reply.answer.append(dns.rrset.from_text(name, ttl, "IN", kind, *data))


def _data(name: str, kind: str) -> tuple[list[str], int]:
    for origin in ZONES:
        if name.endswith(origin):
            rrset = _zone(origin).get_rrset(name, kind)
            return ([item.to_text() for item in rrset], int(rrset.ttl)) if rrset else ([], 0)
    return [], 0


def _exists(name: str) -> bool:
    return any(name.endswith(o) and _zone(o).get_node(name) is not None for o in ZONES)


def _synthetic(name: str) -> str:
    """Return the IPv4 address inside the reverse name of a synthetic address."""
    if not name.endswith(".ip6.arpa."):
        return ""
    nibbles = name.removesuffix(".ip6.arpa.").split(".")[::-1]
    address = ":".join("".join(nibbles[i : i + 4]) for i in range(0, 32, 4))
    return extract(address, 96) if in_any(address, [PREFIX]) else ""
