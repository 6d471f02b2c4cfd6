"""Recorded answers: what is kept, what is redacted, and how an expectation is stated."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

A = TypeVar("A")

_SECRET_NAMES = (
    r"token|password|passwd|passphrase|secret|authorization|credential"
    r"|certificate-authority-data|key-data|private[-_]?key|api[-_]?key|access[-_]?key"
)
_SECRET_KEY = re.compile(_SECRET_NAMES, re.I)
_SECRET_FLAG = re.compile(rf"--?[\w-]*(?:{_SECRET_NAMES})[\w-]*", re.I)
_SECRET_TEXT = re.compile(
    r"(Bearer\s+\S+|eyJ[\w-]{8,}\.[\w-]+\.[\w-]+|-----BEGIN[^-]+-----[^-]+-----END[^-]+-----)"
)
_SECRET_ARGUMENT = re.compile(
    r"((?:token|password|passwd|(?<!pull-)secret|api-?key|authorization)[\w.-]*(?:=|:\s*|\s+))"
    r"(?:'[^']*'|\"[^\"]*\"|\S+)",
    re.I,
)
_URL_PASSWORD = re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]*(?=@)")
_SECRET_LINES = re.compile(
    r"-----BEGIN[^-]+-----[^-]*(?:-----END[^-]+-----|\Z)"  # PEM, also one cut off at its end
    r"|\A[\w+/=\s]*-----END[^-]+-----"  # … or at its beginning
    r"|LS0tLS1CRUdJTi[\w+/=]*"  # PEM in base64, as in a kubeconfig
    r"|\b[a-z0-9]{6}\.[a-z0-9]{16}\b"  # a bootstrap token
)
_SECRET_ASSIGNMENT = re.compile(
    rf"((?:{_SECRET_NAMES})[\w.-]{{0,80}}\\?[\"']?[ \t]*[=:][ \t]*)"
    r"(?!(?:true|false|null)\b)"
    r"(?:[|>][-+]?[ \t]*(?:\n[ \t]+[^\n]*)+"  # a block of YAML
    r"|Basic[ \t]+\S+|\"(?:[^\"\\\n]|\\.)*|\\\"(?:[^\"\\\n]|\\[^\"\n])*|'[^'\n]*"
    r"|[^\s\"',;{\[\\]+)"
    rf"|(\bname\W{{1,6}}[\w.-]{{0,80}}?(?:{_SECRET_NAMES})[\w.-]{{0,80}}\W{{1,20}}value[^\w\[]{{1,6}})"
    r"(?![\[:=])[^\s\"',\\]+",
    re.I,
)
REDACTED = "[redacted]"
LONGEST_TEXT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Generic[A]):
    """One answer of a probe or the API server, with who was asked what.

    Attributes:
        asker: where the question was put: the name of a probe pod, or "the API server".
        question: operation and arguments, as plain data.
        answer: what came back.
        path: from which pod, node and source address to which destination; empty if none.
        seconds: how long the answer took.
    """

    asker: str
    question: dict[str, Any]
    answer: A
    path: str = ""
    seconds: float = 0.0

    def plain(self) -> dict[str, Any]:
        """Return the record as plain data without secrets."""
        return {
            "asker": self.asker,
            "question": redact(self.question),
            "answer": redact(self.answer),
            "seconds": round(self.seconds, 4),
        }

    def __str__(self) -> str:
        said = "; ".join(f"{name} {value}" for name, value in _telling(self.plain()["answer"]))
        return f"{self.path or self.asker}: {said}"


def _telling(answer: Any) -> Iterable[tuple[str, Any]]:
    if not isinstance(answer, dict):
        return [("said", answer)]
    return [
        (name, round(value, 3) if isinstance(value, float) else value)
        for name, value in answer.items()
        if value not in (None, "", [], (), {})
    ]


def redact(data: Any, *, longest: int | None = LONGEST_TEXT) -> Any:
    """Return plain data, without secrets and with long texts cut.

    Dataclasses and mappings become dictionaries, sequences lists, enum members their values.

    Args:
        data: anything.
        longest: characters that are kept of a text; None keeps them all.
    """
    if dataclasses.is_dataclass(data) and not isinstance(data, type):
        data = {item.name: getattr(data, item.name) for item in dataclasses.fields(data)}
    if isinstance(data, Mapping):
        return {str(key): _redacted(str(key), value, longest) for key, value in _named(data)}
    if isinstance(data, (list, tuple, set, frozenset)):
        return [redact(value, longest=longest) for value in _unflagged(data)]
    if isinstance(data, enum.Enum):
        return data.value
    if isinstance(data, str):
        return _SECRET_TEXT.sub(REDACTED, data)[:longest]
    return data


def redact_text(text: str) -> str:
    """Return a text of many lines, such as a log, without whatever looks like a secret.

    It rather takes out too much: also what stands behind a name such as ``password=``.
    """
    for pattern in (_SECRET_TEXT, _SECRET_LINES, _URL_PASSWORD):
        text = pattern.sub(REDACTED, text)
    return _SECRET_ASSIGNMENT.sub(_assigned, text)


def _assigned(found: re.Match[str]) -> str:
    name = found[1] or found[2]
    quote = re.match(r"\\?[\"']?", found[0][len(name) :])
    return f"{name}{quote[0] if quote else ''}{REDACTED}"


def _redacted(key: str, value: Any, longest: int | None) -> Any:
    secret = _SECRET_KEY.search(key) and not isinstance(value, (bool, int, float, type(None)))
    return REDACTED if secret else redact(value, longest=longest)


def _named(data: Mapping[Any, Any]) -> Iterable[tuple[Any, Any]]:
    """Yield the pairs of a mapping; what a variable with a secret name holds is secret."""
    secret = isinstance(data.get("value"), str) and _SECRET_KEY.search(str(data.get("name", "")))
    for key, value in data.items():
        yield key, REDACTED if secret and key == "value" else value


def _unflagged(data: Iterable[Any]) -> Iterable[Any]:
    """Yield the values of a sequence; what follows a flag such as ``--password`` is secret."""
    flagged = False
    for value in data:
        yield REDACTED if flagged and isinstance(value, str) else value
        flagged = isinstance(value, str) and _SECRET_FLAG.fullmatch(value) is not None


def without_secrets(command: str) -> str:
    """Return a command line without what follows password, token and the like, and in URLs."""
    command = _SECRET_TEXT.sub(REDACTED, command)
    return _SECRET_ARGUMENT.sub(rf"\1{REDACTED}", _URL_PASSWORD.sub(REDACTED, command))


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


class Unmet(AssertionError):
    """A requirement that the cluster did not meet.

    Attributes:
        expected: what should have been seen.
        seen: what was seen instead, one line for each finding.
        paths: from where to where, where there was a path.
        records: the answers that were amiss, as far as they are known.
    """

    def __init__(
        self,
        expected: str,
        seen: Sequence[str],
        paths: Sequence[str],
        records: Sequence[Record[Any]] = (),
    ) -> None:
        super().__init__(f"expected {expected}; seen: {'; '.join(seen[:3])}")
        self.expected = expected
        self.seen = tuple(seen)
        self.paths = tuple(paths)
        self.records = tuple(records)


def expect(holds: object, *, expected: str, seen: object, say: Callable[[Any], str] = str) -> None:
    """State what a check expects; an expectation that does not hold fails the check.

    Args:
        holds: true when the expectation is met.
        expected: what should be seen, as a phrase: "an answer from every pod".
        seen: what was seen: one or several records, or anything else.
        say: puts one finding into words.

    Raises:
        Unmet: it does not hold.
    """
    if holds:
        return
    findings = list(seen) if isinstance(seen, (list, tuple, set, frozenset)) else [seen]
    records = [item for item in findings if isinstance(item, Record)]
    paths = dict.fromkeys(record.path for record in records if record.path)
    told = [str(redact(say(item))) for item in findings] or ["nothing"]
    raise Unmet(expected, told, list(paths), records)
