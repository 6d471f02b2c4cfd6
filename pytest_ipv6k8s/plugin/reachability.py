"""Which node's pods reached which node's, from the answers of checks with ``matrix=True``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.probe.probes import ProbePod
from pytest_ipv6k8s.results import Reach


def pairs(records: Iterable[Record[Any]], pods: Sequence[ProbePod]) -> tuple[Reach, ...]:
    """Return for each pair of pods whether the destination's own pod echoed, by their nodes.

    Only answers that were judged count, and of those all: a pair has many tries.

    Args:
        records: TCP connections between probes.
        pods: the probes in the pod network.
    """
    source = {pod.name: pod for pod in pods}
    owner = {ip: pod for pod in pods for ip in pod.ips}
    found: dict[tuple[str, str], Reach] = {}
    for record in records:
        if not record.mark.judged:
            continue
        one, other = source.get(record.source), owner.get(record.request.get("address", ""))
        if one is None or other is None:
            continue
        answer = record.answer
        reached = bool(getattr(answer, "echoed", False)) and answer.pod == other.name
        before = found.get((one.name, other.name))
        found[one.name, other.name] = Reach(
            source=one.node,
            destination=other.node,
            reached=reached and (before is None or before.reached),
        )
    return tuple(found.values())
