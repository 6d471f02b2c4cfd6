"""The credentials that this process holds: noted when they are read, masked by value ever after."""

from __future__ import annotations

import base64
import binascii
import contextlib
import functools
import html
import json
import os
import re
import threading
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

from pytest_ipv6k8s.masking.names import is_secret_name, is_worth_hiding

REDACTED = "[redacted]"
_SHORTEST = 4
_CHUNK = 16
_LONGEST = 100_000


class _Held:
    """All values, each cut into chunks, so that a part of a long one is found, too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._places: dict[str, list[tuple[str, int]]] = {}
        self._short: set[str] = set()

    def add(self, shapes: Iterable[str]) -> None:
        with self._lock:
            for shape in shapes:
                for at in _cuts(shape):
                    chunk = shape[at : at + _CHUNK]
                    places = self._places.setdefault(chunk, [])
                    if (shape, at) not in places:
                        places.append((shape, at))
                    if len(chunk) < _CHUNK:
                        self._short.add(chunk)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where values stand in a text, or parts of them that are long enough."""
        return sorted(
            _grown(text, found.start(), shape, at)
            for chunk in self._chunks_in(text)
            for found in re.finditer(_alone(chunk), text)
            for shape, at in self._places[chunk]
        )

    def _chunks_in(self, text: str) -> set[str]:
        """Return the chunks that stand in a text; hundreds are held, and most texts are short."""
        there = {chunk for chunk in tuple(self._short) if chunk in text}
        if len(text) >= _CHUNK:
            cut = {text[at : at + _CHUNK] for at in range(len(text) - _CHUNK + 1)}
            there |= cut & self._places.keys()
        return there


_held = _Held()


def hold(value: str | bytes | None) -> None:
    """Note a secret: wherever it would leave the process, ``[redacted]`` stands instead.

    Its shapes in base64, URLs, JSON, HTML and Python's quotes are noted, too. What is shorter than
    four characters cannot be told from other text and is not noted.
    """
    text = (value.decode(errors="replace") if isinstance(value, bytes) else value or "").strip()
    if "\n" not in text:
        _held.add(_shapes(text))
        return
    lines = (line.strip() for line in text.splitlines() if not line.startswith("-----"))
    _held.add([line for line in lines if len(line) >= _SHORTEST])
    _held.add([base64.b64encode(text.encode(errors="replace")).decode()])


def hold_named(data: Any, name: str = "") -> None:
    """Note what has a secret name in plain data, such as the users of a kubeconfig.

    Base64 and JSON in it are looked into, as in the Secret of a registry.

    Args:
        data: mappings, lists and texts; ``{name: X, value: Y}`` is a variable of an environment.
        name: what it is called.
    """
    if isinstance(data, Mapping):
        if isinstance(data.get("value"), str):
            hold_named(data["value"], str(data.get("name", "")))
        for key, value in data.items():
            hold_named(value, str(key))
    elif isinstance(data, (list, tuple)):
        before = name
        for value in data:
            hold_named(value, before)
            flag = isinstance(value, str) and value.startswith("-") and "=" not in value
            before = str(value) if flag else name
    elif isinstance(data, str) and "://" in data:
        hold_url(data)
    elif isinstance(data, str) and len(data) <= _LONGEST:
        inner = _decoded(data)
        if is_secret_name(name) and is_worth_hiding(data):
            hold(data)
            hold(inner.partition(":")[2] if name == "auth" else inner)
        _hold_parsed(inner or data)


def _hold_parsed(text: str) -> None:
    if text.lstrip().startswith("{"):
        with contextlib.suppress(ValueError, RecursionError):
            hold_named(json.loads(text))


def _decoded(text: str) -> str:
    """Return what stands in base64; empty when nothing that can be read does."""
    try:
        inner = base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return inner if inner.replace("\n", "").isprintable() else ""


def hold_url(url: str | None) -> None:
    """Note the password in a URL, or the token that stands for name and password."""
    try:
        found = urlsplit(url or "")
        secret = found.password if found.password is not None else found.username
    except ValueError:  # a URL that is none may hold one all the same
        secret = (url or "").rpartition("@")[0].rpartition("/")[2].rpartition(":")[2]
    if secret:
        hold(secret)
        hold(unquote(secret))


def hold_environment(environment: Mapping[str, str] = os.environ) -> None:
    """Note the variables of this process whose names say that they are secret, and proxies'."""
    for name, value in environment.items():
        if "://" in value:
            hold_url(value)
        if is_secret_name(name) and is_worth_hiding(value) and len(value) >= 2 * _SHORTEST:
            hold(value)


def masked(text: str) -> str:
    """Return a text without any secret that was noted."""
    parts, at = [""], 0
    for start, end in _held.spans(text):
        if start > at or len(parts) == 1:
            parts += [text[at:start], REDACTED]
        at = max(at, end)
    return "".join([*parts, text[at:]])


@functools.lru_cache(maxsize=256)
def _shapes(value: str) -> frozenset[str]:
    encoded = base64.b64encode(value.encode(errors="replace")).decode()
    shapes = {
        value,
        encoded,
        encoded.rstrip("="),
        base64.urlsafe_b64encode(value.encode(errors="replace")).decode(),
        quote(value, safe="", errors="replace"),
        quote(value, errors="replace"),
        quote_plus(value, errors="replace"),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        html.escape(value),
        repr(value)[1:-1],
        value.replace("'", "''"),
        value.replace("'", "'\"'\"'"),
    }
    return frozenset(shape for shape in shapes if len(shape) >= _SHORTEST)


def _cuts(shape: str) -> list[int]:
    """Return where chunks begin: each next to the other, and one at the end."""
    last = max(0, len(shape) - _CHUNK)
    return sorted({*range(0, last + 1, _CHUNK), last})


def _alone(chunk: str) -> str:
    """Return the pattern of a chunk; a short value is only meant where it is a word of its own."""
    if len(chunk) >= 2 * _SHORTEST:
        return re.escape(chunk)
    return rf"(?<![A-Za-z0-9]){re.escape(chunk)}(?![A-Za-z0-9])"


def _grown(text: str, start: int, shape: str, at: int) -> tuple[int, int]:
    """Return where the part of a value that was found begins and ends."""
    end, after = start, at
    while end < len(text) and after < len(shape) and text[end] == shape[after]:
        end, after = end + 1, after + 1
    while start > 0 and at > 0 and text[start - 1] == shape[at - 1]:
        start, at = start - 1, at - 1
    return start, end
