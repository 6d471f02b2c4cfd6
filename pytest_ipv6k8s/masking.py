"""Secrets are taken out of whatever is kept, shown or written."""

from __future__ import annotations

import dataclasses
import enum
import re
from collections.abc import Iterable, Mapping
from typing import Any

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
