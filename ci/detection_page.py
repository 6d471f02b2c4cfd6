"""Write docs/detection.md and fixtures/detection.json: what `make faults` and `make soak` saw."""

from __future__ import annotations

import importlib
import json
import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ci.bench import soak
from pytest_ipv6k8s import catalogue
from pytest_ipv6k8s.checks import Level
from tests.faults.record import code

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "detection.md"
SEEN = ROOT / "tests" / "faults" / "seen"
DATA = ROOT / "fixtures" / "detection.json"
FIGURES = "## Figures\n\n"
TABLE = """
## Faults

| Fault | Caught by | Missed by | Also red | Cause | Not judged | Pass when asked | Seconds |
|---|---|---|---|---|---|---|---|
"""
SOAK = """
## False alarms

The whole suite on healthy clusters of two nodes with external targets. Under load every processor
is busy, and pods come and go. `make soak` runs it, and goes on where it was interrupted.

| Stack | Load | Runs | Verdicts | Fail | Inconclusive | Seconds, median |
|---|---|---|---|---|---|---|
"""
Seen = Mapping[str, Any]


def main() -> None:
    """Put figures and a row for each fault below the page's head; tell what a check has caught."""
    faults = {
        title_of(file): json.loads(file.read_text("utf-8")) for file in sorted(SEEN.glob("*.json"))
    }
    head, _, _ = PAGE.read_text("utf-8").partition(FIGURES)
    rows = "".join(_row(title, seen) for title, seen in faults.items())
    figures = "".join(f"* {line}\n" for line in _figures(list(faults.values())))
    soaked = "".join(_soaked(soak.lines()))
    PAGE.write_text(head + FIGURES + figures + TABLE + rows + SOAK + soaked, "utf-8")
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


def _figures(faults: list[Seen]) -> Iterator[str]:
    if not faults:
        return
    fresh = sum(seen["code"] == code() for seen in faults)
    yield f"{_share(fresh, len(faults))} rows were recorded with checks and probes as they are now"
    caught = [seen for seen in faults if seen["caughtBy"] and not seen["missedBy"]]
    yield f"{_share(len(caught), len(faults))} faults were caught by every check that has to"
    stray = [len(seen["alsoRed"]) for seen in faults]
    few = sum(number <= 3 for number in stray)
    yield (
        f"other red checks of a fault: median {statistics.median(stray):g}, at most {max(stray)}; "
        f"at most 3 in {_share(few, len(faults))}"
    )
    told = sum(len(seen["causeTold"]) for seen in faults)
    missing = sum(len(seen["causeMissing"]) for seen in faults)
    naming = sum(bool(seen["causeTold"] or seen["causeMissing"]) for seen in faults)
    yield (
        f"the cause is among the first three of {_share(told, told + missing)} failures of the "
        f"{naming} faults that have one to be named"
    )
    held = sum(len(seen["notJudged"]) for seen in faults)
    passing = sum(len(seen["passWhenAsked"]) for seen in faults)
    yield f"of the checks that were not judged {_share(passing, held)} pass when they are asked"
    seconds = statistics.median(seen["seconds"] for seen in faults)
    yield f"a run on a broken cluster takes {seconds:g} s, median"
    beside = {id for seen in faults for id in seen.get("failWhenAsked", ())}
    unseen = _core() - {id for seen in faults for id in seen["caughtBy"]}
    yield (
        "core checks that are red beside one on which they rest, when they are asked, and never "
        f"alone: {', '.join(sorted(unseen & beside)) or 'none'}"
    )
    never = ", ".join(sorted(unseen - beside)) or "none"
    yield f"core checks that no fault above turned red: {never}"


def _share(part: int, whole: int) -> str:
    percent = f" ({100 * part / whole:.0f} %)" if whole else ""
    return f"{part} of {whole}{percent}"


def _core() -> set[str]:
    declared = catalogue.checks().items()
    return {id for id, check in declared if check.level is Level.CORE}


def _row(title: str, seen: Seen) -> str:
    cells = (
        ", ".join(seen["caughtBy"]) or "none",
        ", ".join(seen["missedBy"]) or "none",
        ", ".join(seen["alsoRed"]) or "none",
        _cause(seen),
        str(len(seen["notJudged"])),
        ", ".join(seen["passWhenAsked"]) or "none",
        str(seen["seconds"]),
    )
    return f"| {title} | {' | '.join(cells)} |\n"


def _cause(seen: Seen) -> str:
    if seen["causeMissing"]:
        return f"not told by {', '.join(seen['causeMissing'])}"
    return "told" if seen["causeTold"] else ""


def _soaked(runs: list[dict[str, Any]]) -> Iterator[str]:
    for stack, load in sorted({(run["stack"], run["load"]) for run in runs}):
        those = [run for run in runs if (run["stack"], run["load"]) == (stack, load)]
        verdicts = [sum(run["verdicts"].values()) for run in those]
        fails, unclear = (
            sum(run["verdicts"].get(word, 0) for run in those) for word in ("fail", "inconclusive")
        )
        seconds = statistics.median(run["seconds"] for run in those)
        load = "at rest" if load == "rest" else "under load"
        cells = (stack, load, len(those), sum(verdicts), fails, unclear, f"{seconds:g}")
        yield f"| {' | '.join(map(str, cells))} |\n"


if __name__ == "__main__":
    main()
