"""Limits of ours on seconds: on a long path, what its round trips take comes on top."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_ipv6k8s.agent.ops import tcp_connect
from pytest_ipv6k8s.evidence import Record


def connecting(records: Iterable[Record[tcp_connect.Answer]]) -> float:
    """Return the round trip in seconds of the slowest path, by its fastest connection.

    Zero where nothing was connected: then nothing comes on top.
    """
    fastest: dict[tuple[str, str], float] = {}
    for record in records:
        if record.answer.connected:
            path = (record.source, record.request["address"])
            fastest[path] = min(fastest.get(path, record.answer.seconds), record.answer.seconds)
    return max(fastest.values(), default=0.0)


def with_round_trips(limit: float, round_trip: float, count: int) -> float:
    """Return a limit of ours in seconds with so many round trips on top."""
    return limit + count * round_trip
