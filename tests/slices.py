"""Which faults and oddities are tried: all, or a few that a word chooses.

SLICE in the environment is the word; `make test` takes the commit's hash. The same word chooses the
same ones. Without it, or with "all", nothing is left out.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def by_slice(things: Sequence[T], most: int, *, key: Callable[[T], str]) -> list[T]:
    """Return the things that SLICE chooses, at most so many."""
    word = os.environ.get("SLICE", "all")
    if word == "all":
        return list(things)
    return sorted(things, key=lambda thing: _place(word, key(thing)))[:most]


def _place(*words: str) -> bytes:
    return hashlib.sha256(" ".join(words).encode()).digest()
