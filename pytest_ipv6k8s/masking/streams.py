"""Streams that write no secret that we hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TextIO

from pytest_ipv6k8s.masking.held import masked


class MaskedStream:
    """A text stream that writes no secret; all but writing is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text without the secrets that we hold."""
        return self._stream.write(masked(text))

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts without the secrets that we hold."""
        self._stream.writelines(map(masked, lines))
