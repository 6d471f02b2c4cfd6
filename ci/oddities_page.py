"""Write the table of docs/oddities.md from what `make oddities` recorded."""

from __future__ import annotations

import json
from pathlib import Path

from pytest_ipv6k8s.addresses import Stack
from tests.oddities.oddity import Oddity
from tests.oddities.slices import EVERYWHERE

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "oddities.md"
SEEN = ROOT / "tests" / "oddities" / "seen"
STACKS = (Stack.IPV6, Stack.DUAL)


def main() -> None:
    """Put a row for each oddity below the table's head."""
    text, head, _ = PAGE.read_text("utf-8").partition("|---|---|---|---|\n")
    PAGE.write_text(text + head + "".join(map(_row, EVERYWHERE)), "utf-8")


def _row(oddity: Oddity) -> str:
    seen = " | ".join(_seen(oddity, stack) for stack in STACKS)
    words = [
        f"{prefix or 'any'}: its reason says `{reason}`"
        for prefix, reason in oddity.unjudged.items()
    ]
    return f"| {oddity.name.replace('-', ' ')} | {seen} | {'; '.join(words) or 'none'} |\n"


def _seen(oddity: Oddity, stack: Stack) -> str:
    file = SEEN / f"{stack.value}-{oddity.name}.json"
    if not file.exists():
        return "–"  # noqa: RUF001
    seen = json.loads(file.read_text("utf-8"))
    return f"{seen['before']}, {seen['after']}"


if __name__ == "__main__":
    main()
