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
    """Put a row for each oddity and stack below the table's head."""
    text, head, _ = PAGE.read_text("utf-8").partition("|---|---|---|---|---|\n")
    rows = [_row(oddity, stack) for oddity in EVERYWHERE for stack in STACKS]
    PAGE.write_text(text + head + "".join(rows), "utf-8")


def _row(oddity: Oddity, stack: Stack) -> str:
    file = SEEN / f"{stack.value}-{oddity.name}.json"
    seen = json.loads(file.read_text("utf-8")) if file.exists() else {}
    before, after = seen.get("before", "not recorded"), seen.get("after", "")
    words = [
        f"{prefix or 'any'}: its reason says `{reason}`"
        for prefix, reason in oddity.unjudged.items()
    ]
    name = oddity.name.replace("-", " ")
    return f"| {name} | {stack.value} | {before} | {after} | {'; '.join(words) or 'none'} |\n"


if __name__ == "__main__":
    main()
