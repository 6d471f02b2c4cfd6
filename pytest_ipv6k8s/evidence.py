"""Recorded answers: what is kept of an item, and its digest."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pytest_ipv6k8s.masking import redact

A = TypeVar("A")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Generic[A]):
    """One answer of a probe or the API server, with who was asked what.

    Attributes:
        source: where the question was put: the name of a probe pod, or "the API server".
        question: operation and arguments, as plain data.
        answer: what came back.
        path: from which pod, node and source address to which destination; empty if none.
        seconds: how long the answer took.
    """

    source: str
    question: dict[str, Any]
    answer: A
    path: str = ""
    seconds: float = 0.0

    def plain(self) -> dict[str, Any]:
        """Return the record as plain data without secrets."""
        return {
            "source": self.source,
            "request": redact(self.question),
            "answer": redact(self.answer),
            "seconds": round(self.seconds, 4),
        }

    def __str__(self) -> str:
        said = "; ".join(f"{name} {value}" for name, value in _telling(self.plain()["answer"]))
        return f"{self.path or self.source}: {said}"


def _telling(answer: Any) -> Iterable[tuple[str, Any]]:
    if not isinstance(answer, dict):
        return [("said", answer)]
    return [
        (name, round(value, 3) if isinstance(value, float) else value)
        for name, value in answer.items()
        if value not in (None, "", [], (), {})
    ]


class Recorder:
    """Collects the answers that one item hears or cites. Safe to use from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: list[Record[Any]] = []

    def append(self, record: Record[A]) -> Record[A]:
        """Keep an answer, also one heard earlier that is now cited; return it."""
        with self._lock:
            self._records.append(record)
        return record

    def take(self) -> tuple[Record[Any], ...]:
        """Return what was kept since the last call, and forget it."""
        with self._lock:
            taken, self._records = tuple(self._records), []
        return taken


def digest(records: Sequence[Record[Any]]) -> str:
    """Return a SHA-256 over the records, independent of their order and timing."""
    return digest_of(record.plain() for record in records)


def digest_of(evidence: Iterable[Mapping[str, Any]]) -> str:
    """Return the same over records that are plain data already."""
    lines = sorted(
        json.dumps({**heard, "seconds": 0}, sort_keys=True, default=str) for heard in evidence
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
