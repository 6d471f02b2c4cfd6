"""Texts of a cluster on a terminal: no escape sequences, no lines or commands of their own."""

from __future__ import annotations

import re

_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and newline, DEL, C1: ESC, CSI, OSC begin here
    "\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069"  # ends of lines, turns of direction
    "\ud800-\udfff]"  # halves of a character, which no file takes
)
_COMMAND = re.compile(r"^(\s*):(?=:[\w-]+(?: [^\n]*?)?::)|##(?=\[)", re.MULTILINE)
"""A workflow command: GitHub's runner obeys ``::name …::`` at the start of a line, and ``##[name]``
anywhere (actions/runner, src/Runner.Common/ActionCommand.cs)."""


def cleaned(text: str) -> str:
    """Return a text whose control characters are seen instead of obeyed; lines and tabs stay."""
    if text.isascii() and text.isprintable() and "::" not in text and "##" not in text:
        return text
    seen = _CONTROLS.sub(_escape, text.replace("\r\n", "\n"))
    return _COMMAND.sub(lambda found: f"{found[1]}\\:" if found[1] is not None else "## ", seen)


def one_line(text: str) -> str:
    """Return the same on one line: for names, versions and whatever is one word of a sentence."""
    return " ".join(cleaned(text).split())


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")
