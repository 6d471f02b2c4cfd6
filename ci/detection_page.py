"""Write docs/detection.md and fixtures/detection.json from what `make faults` recorded."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "detection.md"
SEEN = ROOT / "tests" / "faults" / "seen"
DATA = ROOT / "fixtures" / "detection.json"
HEAD = "|---|---|---|---|---|---|\n"


def main() -> None:
    """Put a row for each fault below the table's head; tell of each check what it has caught."""
    faults = {
        title_of(file): json.loads(file.read_text("utf-8")) for file in sorted(SEEN.iterdir())
    }
    text, head, _ = PAGE.read_text("utf-8").partition(HEAD)
    PAGE.write_text(text + head + "".join(_row(*fault) for fault in faults.items()), "utf-8")
    caught: dict[str, list[str]] = {}
    for title, seen in faults.items():
        for id in seen["caughtBy"]:
            caught.setdefault(id, []).append(title)
    DATA.write_text(json.dumps(dict(sorted(caught.items())), indent=2) + "\n", "utf-8")


def title_of(file: Path) -> str:
    """Return what a recorded fault is: its test's docstring, and where it was injected."""
    name, _, which = file.stem.partition("-")
    module = importlib.import_module(f"tests.faults.test_{name}")
    title = (module.__doc__ or name).splitlines()[0].rstrip(".")
    return f"{title} ({which})" if which else title


def _row(title: str, seen: dict[str, Any]) -> str:
    cells = (
        ", ".join(seen["caughtBy"]),
        ", ".join(seen["alsoRed"]) or "none",
        str(len(seen["notJudged"])),
        ", ".join(seen["passWhenAsked"]) or "none",
        str(seen["seconds"]),
    )
    return f"| {title} | {' | '.join(cells)} |\n"


if __name__ == "__main__":
    main()
