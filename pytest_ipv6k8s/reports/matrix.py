"""Which node's pods reach which node's: one line of signs for each source node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

REACHED, MISSED, UNASKED = "+", "-", "."


def connectivity(records: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the matrix: the nodes, and for each family a line of signs for each source node.

    A cell is reached when every pair of pods was; the n-th sign of a line is the n-th node.

    Args:
        records: what the plugin made of each item; some have ``cells``.
    """
    by_family: dict[str, dict[tuple[str, str], bool]] = {}
    for record in records:
        for one, other, reached in record.get("cells", ()):
            found = by_family.setdefault(record["family"], {})
            found[one, other] = found.get((one, other), True) and reached
    nodes = sorted({name for found in by_family.values() for pair in found for name in pair})
    signs = {True: REACHED, False: MISSED, None: UNASKED}
    return {
        "nodes": nodes,
        "families": {
            family: ["".join(signs[found.get((one, other))] for other in nodes) for one in nodes]
            for family, found in sorted(by_family.items())
        },
    }
