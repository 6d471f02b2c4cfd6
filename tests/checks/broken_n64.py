"""Worlds in which the checks of NAT64 and DNS64 fail."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import dns.message
import dns.rcode

from pytest_ipv6k8s.addresses import Stack, in_any
from pytest_ipv6k8s.probe.probes import ProbePod
from tests.checks.breaking import Break, Broken, answers, dns_says
from tests.checks.outside import TRANSLATED
from tests.checks.world import World

DUAL = Stack.DUAL
SILENT: dict[str, Any] = {"connected": False, "echoed": False, "pod": "", "error": "ETIMEDOUT"}
OPEN: dict[str, Any] = {"connected": True, "error": ""}


def _behind(*prefixes: str) -> Any:
    return lambda pod, request: in_any(request.address, prefixes)


def _for(label: str, kind: str, *data: str, rcode: str = "NOERROR", ttl: int = 5) -> Break:
    """Answer queries for a name and type in another way."""

    def break_it(world: World) -> None:
        def change(pod: ProbePod, request: Any, answer: Any) -> Any:
            query = dns.message.from_wire(base64.b64decode(request.wire))
            request = query.question[0]
            name = request.name.to_text()
            if not name.startswith(label) or request.rdtype != dns.rdatatype.from_text(kind):
                return answer
            reply = dns.message.make_response(query)
            reply.set_rcode(dns.rcode.from_text(rcode))
            if data:
                reply.answer.append(dns.rrset.from_text(name, ttl, "IN", kind, *data))
            return replace(answer, wire=base64.b64encode(reply.to_wire()).decode())

        world.override("dns_exchange", change)

    return break_it


def _only_on(name: str, break_it: Break) -> Break:
    """Break one probe's answers only."""

    def apply(world: World) -> None:
        break_it(world)
        (operation, changed), *_ = world.overrides.items()
        world.override(
            operation,
            lambda pod, request, answer: (
                changed(pod, request, answer) if pod.name == name else answer
            ),
        )

    return apply


EMPTY = dns_says("AAAA")
ROWS = [
    Broken("N64-01", "no DNS64", EMPTY),
    Broken("N64-01", "another prefix", _for("ipv4only", "AAAA", "2001:db8:65::c000:aa", "2001:db8:65::c000:ab")),
    Broken("N64-02", "no DNS64", EMPTY),
    Broken("N64-02", "two prefixes", _for("ipv4only", "AAAA", "2001:db8:65::c000:aa", "2001:db8:66::c000:ab")),
    Broken("N64-02", "u-octet", _for("ipv4only", "AAAA", "2001:db8:0:0:100::c000:aa", "2001:db8:0:0:100::c000:ab")),
    Broken("N64-03", "no DNS64", EMPTY),
    Broken("N64-03", "one node differs", _only_on("probe-01", _for("ipv4only", "AAAA", "2001:db8:65::c000:aa"))),
    Broken("N64-04", "invented", dns_says("A", data="192.0.2.1")),
    Broken("N64-05", "no DNS64", EMPTY),
    Broken("N64-05", "wrong prefix", _for("two", "AAAA", "2001:db8:65::c633:640a", "2001:db8:65::c633:6414")),
    Broken("N64-05", "half of them", _for("two", "AAAA", "2001:db8:64::c633:640a")),
    Broken("N64-06", "replaced", _for("dual", "AAAA", "2001:db8:64::c633:640a")),
    Broken("N64-06", "mixed", _for("dual", "AAAA", "2001:db8:1::10", "2001:db8:64::c633:640a")),
    Broken("N64-07", "a wildcard", _for("nothing", "AAAA", "2001:db8::1")),
    Broken("N64-07", "NXDOMAIN becomes NODATA", _for("nothing", "AAAA")),
    Broken("N64-07", "NODATA becomes NXDOMAIN", _for("text", "AAAA", rcode="NXDOMAIN")),
    Broken("N64-09", "a long life", _for("short", "AAAA", "2001:db8:64::c633:6414", ttl=300)),
    Broken("N64-09", "nothing", EMPTY),
    Broken("N64-10", "no chain", _for("alias", "AAAA", "2001:db8:64::c633:6414")),
    Broken("N64-11", "no name", dns_says("PTR")),
    Broken("N64-13", "synthesised", _for("every", "AAAA", "2001:db8:64::a60:1")),
    Broken("N64-13", "IPv4-only Service", _for("only-ipv4", "AAAA", "2001:db8:64::a60:1"), DUAL),
    Broken("N64-14", "no gateway", answers("tcp_connect", _behind(*TRANSLATED), **SILENT)),
    Broken("N64-15", "no UDP", answers("udp_exchange", _behind(*TRANSLATED), echoed=0, error="ETIMEDOUT")),
    Broken("N64-14", "somebody else answers", answers("tcp_connect", pod="stranger")),
    Broken("N64-16", "no echo", answers("ping", _behind(*TRANSLATED), received=0)),
    Broken("N64-17", "another source", answers("tcp_connect", seen_source="203.0.113.5")),
    Broken("N64-17", "nobody says", answers("tcp_connect", seen_source="")),
    *(Broken("N64-19", prefix, answers("tcp_connect", _behind(prefix), **SILENT)) for prefix in TRANSLATED[:-1]),
    Broken("N64-19", "another host", answers("tcp_connect", _behind(TRANSLATED[1]), pod="stranger")),
    Broken("N64-21", "refused", answers("tcp_connect", _behind(TRANSLATED[-1]), **SILENT)),
    Broken("N64-27", "no CLAT", answers("tcp_connect", **SILENT)),
    Broken("N64-29", "no DNS64", EMPTY, DUAL),
    Broken("N64-31", "metadata", answers("tcp_connect", lambda pod, request: "a9fe:a9fe" in request.address, **OPEN)),
    Broken("N64-31", "dead gateway", answers("tcp_connect", **SILENT)),
]  # fmt: skip
