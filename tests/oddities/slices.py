"""All oddities of any cluster, or those of them that a slice has on a stack."""

from __future__ import annotations

from collections.abc import Sequence

from tests.oddities import admission, dns, kernel, network, nodes
from tests.oddities.oddity import Oddity
from tests.slices import by_slice

AT_ONCE = 1
"""How many a slice has on each stack."""
EVERYWHERE = [
    *nodes.ODDITIES,
    *admission.ODDITIES,
    *network.ODDITIES,
    *dns.ODDITIES,
    *kernel.ODDITIES,
]


def chosen(oddities: Sequence[Oddity], stack: str) -> list[Oddity]:
    """Return those that the slice has on a stack."""
    return by_slice(oddities, AT_ONCE, key=lambda oddity: f"{stack} {oddity.name}")
