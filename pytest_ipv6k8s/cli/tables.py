"""Tables that commands print: for people on a terminal, for programs in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pytest_ipv6k8s.wrapping import in_columns, width, wrapped, wrapped_command


def show(text: str) -> None:
    """Print a text, on a terminal as wide as it is; a file or a pipe gets whole lines."""
    print(wrapped(text, width()) if sys.stdout.isatty() else text)


def show_command(head: str, command: str) -> None:
    """Print a command behind a head; what a terminal gets in several lines a shell takes as one."""
    print(wrapped_command(head, command, width()) if sys.stdout.isatty() else head + command)


def show_table(head: Sequence[str], rows: Sequence[Sequence[str]], after: str) -> None:
    """Print a table; only a terminal gets its head, and a line with the count after it."""
    for line in in_columns([head, *rows] if sys.stdout.isatty() else rows, gap=2):
        show(line)
    if sys.stdout.isatty():
        show(f"\n{len(rows)} {after}")
