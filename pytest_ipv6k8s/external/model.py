"""External targets: peers beyond the cluster, and what may be asserted about them.

One contract, two sources: the testbed, beside a cluster that we made, and
:mod:`.declaration`, what an operator describes. Checks cannot tell them apart.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from pytest_ipv6k8s.addresses import Egress, Family


class Role(enum.Enum):
    """What a target is for."""

    DUAL = "dual"
    V6 = "v6"
    V4 = "v4"
    NARROW = "narrow"
    NARROW_1400 = "narrow-1400"
    BLACK_HOLE = "black-hole"
    REJECTER = "rejecter"


TESTBED = "testbed"
NO_TARGETS = "no external targets"
"""Begins what is said where they were wanted and there are none."""
INTERNET = "internet"
"""In place of a target: public hosts that are known well."""
OUR_AGENT = 0
"""In place of a port: those of our agent, which says whom it saw."""

SILENT = (Role.BLACK_HOLE, Role.REJECTER)
"""The roles at whose addresses nobody answers."""


class WellKnownPrefix(enum.Enum):
    """Whether a translator carries non-global IPv4 behind 64:ff9b::/96 (RFC 6052 section 3.1)."""

    STRICT = "strict"
    RELAXED = "relaxed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A peer beyond the cluster.

    Attributes:
        role: what it is for.
        addresses: its addresses, each family at most once.
        name: a DNS name with these addresses; empty when there is none.
        tcp, udp, http: ports of its servers; 0 when there is none.
        identifies: whether the servers say who they are and whom they saw, as our agent does.
        ping: whether it answers echo requests, and nothing on the way drops those of pods.
        ask: command that starts our agent beside it, so that it can be asked, too.
    """

    role: Role
    addresses: tuple[str, ...]
    name: str = ""
    tcp: int = 0
    udp: int = 0
    http: int = 0
    identifies: bool = False
    ping: bool = False
    ask: tuple[str, ...] = ()

    def address(self, family: Family) -> str:
        """Return the address of a family; empty when it has none."""
        return next((a for a in self.addresses if Family.of(a) is family), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Nat64:
    """A way from IPv6 to IPv4 (RFC 6146).

    Attributes:
        prefixes: the prefixes that are translated; DNS64 uses the first.
        pool: the CIDRs from which an IPv4 target may see translated packets; empty if unknown.
        well_known_prefix: what is asked of 64:ff9b::/96; None when it is not translated.
        local_use: whether 64:ff9b:1::/48 is translated towards private IPv4 (RFC 8215).
        private_host: a private IPv4 address that answers behind these two; may be empty.
    """

    prefixes: tuple[str, ...]
    pool: tuple[str, ...] = ()
    well_known_prefix: WellKnownPrefix | None = None
    local_use: bool = False
    private_host: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalNetwork:
    """What there is beyond the cluster, and how pods get there.

    Attributes:
        source: ``TESTBED`` or ``declared``.
        targets: the peers; each role at most once.
        egress: how packets of pods are to look to targets; None when it is not declared.
        nat64: the NAT64 gateway, None when there is none.
        no_nat64: whether there is declared to be none.
        dns64: whether the cluster's DNS is to synthesise AAAA records.
        zone: a DNS zone with the records that ``docs/external.md`` lists; empty when there is none.
        clat: whether IPv6-only pods have a CLAT (RFC 6877).
        proxy: URL of a forward web proxy; empty when there is none.
        registry: URL of a registry cache; empty when there is none.
    """

    source: str
    targets: tuple[Target, ...] = ()
    egress: Egress | None = None
    nat64: Nat64 | None = None
    no_nat64: bool = False
    dns64: bool = False
    zone: str = ""
    clat: bool = False
    proxy: str = ""
    registry: str = ""

    def find(self, role: Role) -> Target | None:
        """Return the target for a role, or None."""
        return next((target for target in self.targets if target.role is role), None)

    def ipv6_target_with(self, *parts: str) -> Target | None:
        """Return a target with IPv6, the dual-stack one if it will do.

        Args:
            parts: attributes that must be declared: "tcp", "name", …
        """
        found = [target for target in map(self.find, (Role.DUAL, Role.V6)) if target]
        return next((t for t in found if all(getattr(t, part) for part in parts)), None)
