"""Recorded answers: what was judged, what is kept of an item, and its digest."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pytest_ipv6k8s import words
from pytest_ipv6k8s.masking import redact

A = TypeVar("A")
API_SERVER = "the API server"
Doubt = Callable[[str, dict[str, Any]], bool]
"""Of a source and a request, as in a :class:`Record`."""


@dataclass(slots=True, kw_only=True)
class Mark:
    """What became of an answer in a check: the only thing that changes about a record.

    Attributes:
        judged: whether an expectation was stated of it.
        failed: whether one was not met.
        place: its place among the answers of the expectation that judged it first.
        doubted: whether something is red already that spoils it, too.
    """

    judged: bool = False
    failed: bool = False
    place: int = 0
    doubted: bool = False

    @property
    def rank(self) -> tuple[bool, bool, int]:
        """What is kept first: failed, then judged, one answer of each expectation in turn."""
        return not self.failed, not self.judged, self.place


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Record(Generic[A]):
    """One answer of a probe or the API server, with who was asked what.

    As text, and as the message of an assertion, it is one sentence.

    Attributes:
        source: who was asked: the name of a probe pod, or "the API server".
        request: operation and arguments, as plain data.
        answer: what came back.
        path: from which pod, node and source address to which destination; empty if none.
        seconds: how long the answer took.
        mark: whether and how it was judged; no part of what was recorded, shared by copies.
    """

    source: str
    request: dict[str, Any]
    answer: A
    path: str = ""
    seconds: float = 0.0
    mark: Mark = field(default_factory=Mark, compare=False, repr=False)

    def plain(self) -> dict[str, Any]:
        """Return the record as plain data without secrets."""
        return {
            "source": self.source,
            "request": redact(self.request),
            "answer": redact(self.answer),
            "seconds": round(self.seconds, 4),
        }

    def __str__(self) -> str:
        return f"{self.path or self.source}: {words.answer(self.plain()['answer'])}"

    def __repr__(self) -> str:
        return str(self)


class Recorder:
    """Collects the answers that one item gets or cites. Safe to use from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: list[Record[Any]] = []
        self._doubt: Doubt = lambda source, request: False

    def doubt(self, doubt: Doubt) -> None:
        """Take how to tell, from now on, whether what is asked is known to be spoilt."""
        self._doubt = doubt

    def doubts(self, source: str, request: dict[str, Any]) -> bool:
        """Tell whether a question is known to be spoilt by something red: see :meth:`doubt`."""
        return self._doubt(source, request)

    def append(self, record: Record[A]) -> Record[A]:
        """Keep an answer, also an earlier one that is now cited; return it."""
        with self._lock:
            self._records.append(record)
        return record

    def api_answer(
        self, request: dict[str, Any], answer: A, *, path: str = "", seconds: float = 0.0
    ) -> Record[A]:
        """Keep what the API server said; see :class:`Record` for the arguments."""
        return self.append(
            Record(source=API_SERVER, request=request, answer=answer, path=path, seconds=seconds)
        )

    def take(self) -> tuple[Record[Any], ...]:
        """Return what was kept since the last call, and forget it."""
        with self._lock:
            taken, self._records = tuple(self._records), []
        return taken


def mark(records: Iterable[Record[Any]], *, failed: bool) -> None:
    """Note that an expectation was stated of these answers, and whether they did not meet it."""
    for place, record in enumerate(records):
        if not record.mark.judged:
            record.mark.judged, record.mark.place = True, place
        record.mark.failed = record.mark.failed or failed


def kept(records: Iterable[Record[Any]], limit: int) -> list[Record[Any]]:
    """Return at most so many answers: those that failed, others that were judged, the rest.

    Where several expectations were stated, each shows an answer before one of them shows two.
    """
    return sorted(records, key=lambda record: record.mark.rank)[:limit]


def digest(records: Sequence[Record[Any]]) -> str:
    """Return a SHA-256 over the records, independent of their order and timing."""
    return digest_of(record.plain() for record in records)


def digest_of(evidence: Iterable[Mapping[str, Any]]) -> str:
    """Return the same over records that are plain data already."""
    lines = sorted(
        json.dumps({**record, "seconds": 0}, sort_keys=True, default=str) for record in evidence
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
