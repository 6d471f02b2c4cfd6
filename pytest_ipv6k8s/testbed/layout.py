"""Addresses and names of the testbed. Used on both sides, so standard library only.

All of it is documentation space (RFC 3849, RFC 9637, RFC 5737), which counts as Internet here.
"""

from __future__ import annotations

from dataclasses import dataclass

ZONE = "ipv6k8s.test"

IPV6_ROUTES = ("2001:db8::/32", "3fff::/20", "64:ff9b::/96", "64:ff9b:1::/48")
IPV4_ROUTES = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")


@dataclass(frozen=True)
class Host:
    """A host in a network namespace; ``hop`` is the MTU of the narrowest link before it."""

    role: str
    ipv6: str = ""
    ipv4: str = ""
    hop: int = 1500
    extra: str = ""


PRIVATE_HOST = "10.64.0.10"
HOSTS = (
    Host("dual", ipv6="2001:db8:1::10", ipv4="198.51.100.10"),
    Host("v6", ipv6="2001:db8:2::10"),
    Host("v4", ipv4="198.51.100.20", extra=PRIVATE_HOST),
    Host("narrow", ipv6="2001:db8:3::10", ipv4="203.0.113.10", hop=1280),
    Host("narrow-1400", ipv6="2001:db8:4::10", ipv4="203.0.113.14", hop=1400),
)
BLACK_HOLE = ("2001:db8:bad::1", "203.0.113.193")
BLACK_HOLE_ROUTES = ("2001:db8:bad::/48", "203.0.113.192/28")
REJECTER = ("2001:db8:dead::1", "203.0.113.209")
REJECTER_ROUTES = ("2001:db8:dead::/48", "203.0.113.208/28")

DNS64_SERVER = ("2001:db8:53::53", "192.0.2.53")
PLAIN_SERVER = ("2001:db8:53::54", "192.0.2.54")
PROXY = ("2001:db8:80::80", 3128)
REGISTRY = ("2001:db8:50::50", 5000)

NAT64_POOL = "192.0.2.64"
WELL_KNOWN_PREFIX = "64:ff9b::/96"
# tayga refuses to translate RFC 8215's prefix, so it is mapped to another one before tayga sees it.
LOCAL_USE_PREFIX = "64:ff9b:1::/96"
LOCAL_USE_MAPPED = "3fff:21::/96"
NAT64_PREFIXES = (
    "2001:db8:64::/96",
    "3fff:64:6464:6464::/64",
    "3fff:56:5656:5600::/56",
    "3fff:48:4848::/48",
    "3fff:40:4000::/40",
    "3fff:32::/32",
)


@dataclass(frozen=True)
class Gateway:
    """One tayga: its device, the prefix it translates and the IPv4 pool behind it."""

    device: str
    prefix: str
    own_ipv4: str
    pool: str


def gateways() -> tuple[Gateway, ...]:
    """Return one gateway for each prefix."""
    prefixes = (*NAT64_PREFIXES, WELL_KNOWN_PREFIX, LOCAL_USE_MAPPED)
    return tuple(
        Gateway(
            device=f"nat64-{number}",
            prefix=prefix,
            own_ipv4=f"100.64.{number}.1",
            pool=f"100.64.{number}.0/24",
        )
        for number, prefix in enumerate(prefixes)
    )
