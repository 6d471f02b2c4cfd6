"""How packets of pods look to a target: native, NPTv6, masquerade, an egress gateway.

Nothing is asked here; a check brings what a target saw of several pods.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pytest_ipv6k8s.addresses import Egress, same_address

_MODULUS = 0xFFFF  # of one's complement arithmetic on 16 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A pod's address and port, and what a target saw instead: ``source`` and ``seen_port``."""

    pod: str
    port: int
    source: str
    seen_port: int


def classify(observations: Sequence[Observation], nodes: Collection[str]) -> tuple[Egress, ...]:
    """Return the style of each observation, in the same order.

    A gateway is what remains: somebody else's address. A source that two pods share is no NPTv6,
    which maps one to one; so several pods tell more than one.

    Args:
        observations: of pods, each with a source port that was set on purpose.
        nodes: all addresses of nodes.
    """
    return tuple(_style(one, observations, nodes) for one in observations)


def _style(one: Observation, observations: Sequence[Observation], nodes: Collection[str]) -> Egress:
    if same_address(one.pod, one.source):
        return Egress.NATIVE
    if any(same_address(one.source, node) for node in nodes):
        return Egress.MASQUERADE
    shared = any(
        same_address(one.source, other.source) and not same_address(one.pod, other.pod)
        for other in observations
    )
    if one.port == one.seen_port and not shared and is_prefix_translation(one.pod, one.source):
        return Egress.NPTV6
    return Egress.GATEWAY


def is_prefix_translation(internal: str, external: str) -> bool:
    """Tell whether RFC 6296 section 3 makes one address of the other, for some pair of prefixes.

    Prefixes of up to 48 bits are balanced in the subnet (bits 48 to 63), longer ones of up to 64
    bits in the first word of the interface identifier that is not 0xFFFF. The rest is kept.
    """
    before, after = _words(internal), _words(external)
    if not before or not after or before[:4] == after[:4] or not is_checksum_neutral(before, after):
        return False
    changed = [number for number in range(4, 8) if before[number] != after[number]]
    if not changed:
        return before[:3] != after[:3]
    return changed == [_balancing_word(before)]


def is_checksum_neutral(before: Sequence[int], after: Sequence[int]) -> bool:
    """Tell whether two addresses add up to the same checksum (RFC 1071)."""
    return sum(before) % _MODULUS == sum(after) % _MODULUS


def translate(address: str, internal: str, external: str) -> str:
    """Return the address that an NPTv6 translator makes (RFC 6296 sections 3.1 to 3.5).

    Args:
        address: an IPv6 address in the internal prefix.
        internal: the prefix that pods use.
        external: the prefix that targets see.

    Raises:
        ValueError: the prefixes differ in length, are longer than 64 bits, do not hold the
            address, or it cannot be translated: all words that could balance are 0xFFFF.
    """
    before, after = ipaddress.IPv6Network(internal), ipaddress.IPv6Network(external)
    length = before.prefixlen
    if length != after.prefixlen or length > 64 or ipaddress.IPv6Address(address) not in before:
        raise ValueError(f"{address} cannot be translated from {internal} to {external}")
    rest = int(ipaddress.IPv6Address(address)) & int(before.hostmask)
    moved = ipaddress.IPv6Address(int(after.network_address) | rest)
    words = _words(str(moved))
    place = 3 if length <= 48 else _balancing_word(words)
    if words[place] == _MODULUS:
        raise ValueError(f"{address} has no word that can be changed")
    missing = sum(_words(address)) - sum(words)
    words[place] = (words[place] + missing) % _MODULUS
    return str(ipaddress.IPv6Address(b"".join(word.to_bytes(2, "big") for word in words)))


def _balancing_word(words: Sequence[int]) -> int:
    return next((number for number in range(4, 8) if words[number] != _MODULUS), 7)


def _words(address: str) -> list[int]:
    """Return the eight words of an IPv6 address; none of an IPv4 one."""
    parsed = ipaddress.ip_address(address)
    if parsed.version == 4:
        return []
    return [int.from_bytes(parsed.packed[at : at + 2], "big") for at in range(0, 16, 2)]
