"""Which node's pods reach which node's: one line of signs for each source node."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.reports.model import Connectivity
from pytest_ipv6k8s.results import ItemResult

REACHED, MISSED, UNASKED = "+", "-", "."


def connectivity(results: Iterable[ItemResult]) -> Connectivity:
    """Return the matrix: the nodes, and for each family a line of signs for each source node.

    A cell is reached when every pair of pods was; the n-th sign of a line is the n-th node.

    Args:
        results: what became of each item; some say who reached whom.
    """
    by_family: dict[Family, dict[tuple[str, str], bool]] = {}
    for result in results:
        if result.outcome.family is None:
            continue
        for pair in result.reachability:
            cells = by_family.setdefault(result.outcome.family, {})
            one, other = pair.source, pair.destination
            cells[one, other] = cells.get((one, other), True) and pair.reached
    nodes = sorted({name for cells in by_family.values() for pair in cells for name in pair})
    signs = {True: REACHED, False: MISSED, None: UNASKED}
    return Connectivity(
        nodes=tuple(nodes),
        families={
            family: tuple(
                "".join(signs[cells.get((one, other))] for other in nodes) for one in nodes
            )
            for family, cells in sorted(by_family.items(), key=lambda item: item[0].value)
        },
    )
