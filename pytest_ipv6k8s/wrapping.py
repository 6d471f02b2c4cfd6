"""Texts on terminals: broken between words only, and hanging below the column of their text."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Sequence

UNKNOWN = 100
"""The width of a line where there is no terminal and nobody gives ``COLUMNS``."""

_HEAD = re.compile(r" *(?:\S+(?: \S+){0,2} {2,})*(?:\d+\. )?")
"""What stands before a line's text: names in columns, two spaces apart, and a number."""

_WORDS = re.compile(r"""(?:"[^"]*"|'[^']*'|\S)+""")
_QUOTED = re.compile(r"`[^`]+`")
_KEPT = "\ufffc"
"""Stands for a space at which a line is not broken."""
_NARROW = 40


def width() -> int:
    """Return how wide the lines of our standard output may be."""
    found = shutil.get_terminal_size(fallback=(UNKNOWN, 24)).columns
    return max(found, _NARROW)


def wrapped(text: str, width: int) -> str:
    """Return a text in lines of this width; of each line, what is too much hangs below its text.

    A word that is longer than a line stays whole, and so does what stands between backticks: it is
    there to be copied.
    """
    return "\n".join(part for line in text.splitlines() for part in _lines(line, width))


def wrapped_command(head: str, command: str, width: int) -> str:
    """Return a command in lines that a shell takes as one, below each other behind a head."""
    lines, space = [head], " " * len(head)
    for word in _WORDS.findall(command):
        gap = " " if lines[-1].strip() and lines[-1] != head else ""
        if gap and len(lines[-1]) + len(word) + 3 > width:
            lines[-1] += " \\"
            lines.append(space)
            gap = ""
        lines[-1] += gap + word
    return "\n".join(lines)


def in_columns(lines: Sequence[Sequence[str]], *, gap: int) -> list[str]:
    """Return lines of cells as text, each column as wide as it has to be, with spaces between."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rows = (zip(line, widths, strict=True) for line in lines)
    return [(" " * gap).join(cell.ljust(wide) for cell, wide in row).rstrip() for row in rows]


def cut(text: str, width: int) -> str:
    """Return a text that is at most so long; where something is left out, it ends in "…"."""
    if len(text) <= width:
        return text
    return text[: max(width - 1, 0)].rstrip() + "…"


def _lines(line: str, width: int) -> list[str]:
    found = _HEAD.match(line)
    head = len(found[0]) if found else 0
    if head > width - _NARROW // 2:  # too little would be left beside it
        head = 2
    kept = _QUOTED.sub(lambda quoted: quoted[0].replace(" ", _KEPT), line)
    broken = textwrap.wrap(
        kept,
        width,
        subsequent_indent=" " * head,
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
        drop_whitespace=True,
    )
    return [part.replace(_KEPT, " ") for part in broken] or [""]
