"""Tables that commands print: for people on a terminal, for programs in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pytest_ipv6k8s.wrapping import width, wrapped


def show(text: str) -> None:
    """Print a text, on a terminal as wide as it is; a file or a pipe gets whole lines."""
    print(wrapped(text, width()) if sys.stdout.isatty() else text)


def show_table(head: Sequence[str], rows: Sequence[Sequence[str]], after: str) -> None:
    """Print a table; only a terminal gets its head, and a line with the count after it."""
    lines = [head, *rows] if sys.stdout.isatty() else rows
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(wide) for cell, wide in zip(line, widths, strict=True))
        show("  ".join(cells).rstrip())
    if sys.stdout.isatty():
        show(f"\n{len(rows)} {after}")
