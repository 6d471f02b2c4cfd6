"""Worlds in which the checks of names outside the cluster fail."""

from __future__ import annotations

from tests.checks.breaking import Break, Broken, answers, dns_says
from tests.checks.world import World


def _forward(*servers: str) -> Break:
    def break_it(world: World) -> None:
        world.corefile = f".:53 {{\n    forward . {' '.join(servers)}\n}}\n"

    return break_it


ROWS = [
    Broken("DNS-18", "no record", dns_says("AAAA")),
    Broken("DNS-18", "another address", dns_says("AAAA", data="2001:db8::bad")),
    Broken("DNS-18", "slow", answers("lookups", in_time={}, late={"2001:db8:2::10": 20})),
    Broken(
        "DNS-18", "not by getaddrinfo", answers("lookups", in_time={}, errors={"no such name": 20})
    ),
    Broken("DNS-19", "another family", _forward("192.0.2.53")),
    Broken("DNS-19", "loopback of the node", _forward("::1")),
    Broken("DNS-19", "one is dead", _forward("2001:db8:53::53", "2001:db8:53::99")),
    Broken("DNS-19", "nowhere", _forward()),
]
