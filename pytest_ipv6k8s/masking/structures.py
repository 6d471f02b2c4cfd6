"""Secrets in plain data: what has a secret name, and every text in it."""

from __future__ import annotations

import dataclasses
import enum
import functools
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, cast

from pytest_ipv6k8s.masking.controls import cleaned
from pytest_ipv6k8s.masking.held import REDACTED, masked
from pytest_ipv6k8s.masking.names import is_secret_name
from pytest_ipv6k8s.masking.texts import redact_text

LONGEST_TEXT = 2000
T = TypeVar("T")
_WORD = re.compile(r"[\w.:/%\[\]@-]{0,15}|[0-9a-fA-F.:/]+|[a-z0-9]+(?:[.-][a-z0-9]+)*\.?")
"""An address, a name, a number: nothing that a rule could find a secret in."""


def redact(data: Any, *, longest: int | None = LONGEST_TEXT) -> Any:
    """Return plain data, without secrets and control characters, and with long texts cut.

    Dataclasses and mappings become dictionaries, sequences lists, enum members their values.

    Args:
        data: anything.
        longest: characters that are kept of a text; None keeps them all.
    """
    if dataclasses.is_dataclass(data) and not isinstance(data, type):
        data = {item.name: getattr(data, item.name) for item in dataclasses.fields(data)}
    if isinstance(data, Mapping):
        return {
            redact(str(key)): _redacted(str(key), value, longest) for key, value in _named(data)
        }
    if isinstance(data, (list, tuple, set, frozenset)):
        return [redact(value, longest=longest) for value in _unflagged(data)]
    if isinstance(data, enum.Enum):
        return data.value
    if isinstance(data, str):
        return _text(data)[:longest]
    return data


def masked_in(data: T) -> T:
    """Return the same data without the secrets that we hold, and without control characters.

    Dataclasses, mappings and sequences are gone through; all else stays as it is.
    """
    found: Any = data
    if isinstance(found, str) and not isinstance(found, enum.Enum):
        found = cleaned(masked(found))
    elif isinstance(found, Mapping):
        found = {masked_in(key): masked_in(value) for key, value in found.items()}
    elif isinstance(found, (list, tuple)) and not hasattr(found, "_fields"):
        found = type(found)(masked_in(value) for value in found)
    elif dataclasses.is_dataclass(found) and not isinstance(found, type):
        values = {item.name: getattr(found, item.name) for item in dataclasses.fields(found)}
        changed = {name: masked_in(value) for name, value in values.items()}
        found = dataclasses.replace(found, **changed) if changed != values else found
    return cast("T", found)


def _text(text: str) -> str:
    hidden = masked(text)
    return cleaned(hidden) if _WORD.fullmatch(hidden) else _ruled(hidden)


@functools.lru_cache(maxsize=8192)
def _ruled(text: str) -> str:
    return redact_text(text)


def _redacted(key: str, value: Any, longest: int | None) -> Any:
    plain = isinstance(value, (bool, int, float, type(None)))
    return REDACTED if is_secret_name(key) and not plain else redact(value, longest=longest)


def _named(data: Mapping[Any, Any]) -> Iterable[tuple[Any, Any]]:
    """Yield the pairs of a mapping; what a variable with a secret name holds is secret."""
    secret = isinstance(data.get("value"), str) and is_secret_name(str(data.get("name", "")))
    for key, value in data.items():
        yield key, REDACTED if secret and key == "value" else value


def _unflagged(data: Iterable[Any]) -> Iterable[Any]:
    """Yield the values of a sequence; what follows a flag such as ``--password`` is secret."""
    flagged = False
    for value in data:
        yield REDACTED if flagged and isinstance(value, str) else value
        flagged = isinstance(value, str) and value.startswith("-") and is_secret_name(value)
