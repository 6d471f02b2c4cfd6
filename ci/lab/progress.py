"""What `lab up` says while it works: which step, how long still, and the last line of its log."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TAIL_BYTES = 4096
NOT_SHOWN = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
PACES = (0.3, 5.0)
"""How fast and how slow, against the estimates, this machine may seem."""
ENOUGH = 60
"""Seconds of estimated work after which the pace says something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """How far a run of steps is; all in seconds."""

    estimates: Mapping[str, int]
    """Of every step that was missing at the start, by its name."""
    finished: frozenset[str]
    running: Mapping[str, float]
    """How long each has been running."""
    elapsed: float
    """Since the first step started."""


def time_left(work: Work) -> float:
    """Return the seconds that are left: the estimates' rest, at the pace of this machine so far.

    Steps beside each other share the cores, so that their estimates add up.
    """
    total = sum(work.estimates.values())
    done = float(sum(work.estimates[name] for name in work.finished))
    for name, seconds in work.running.items():
        done += min(work.estimates[name], seconds / len(work.running))
    pace = min(max(work.elapsed / done, PACES[0]), PACES[1]) if done >= ENOUGH else 1.0
    return max(total - done, 0) * pace


def opening(estimates: Sequence[int]) -> str:
    """Return the line before the first step."""
    steps = f"{len(estimates)} step{'s' if len(estimates) > 1 else ''}"
    once = ", this once; the next time takes seconds" if sum(estimates) > 60 else ""
    return f"{steps}, {about(sum(estimates))} on 2 cores{once}"


def heading(number: int, count: int, name: str, left: float) -> str:
    """Return the line at the start of a step."""
    return f"step {number} of {count}: {name}, {about(left)} left"


def summary(seconds: Mapping[str, float]) -> list[str]:
    """Return the time of each step that ran, in the order of their ends."""
    width = max((len(name) for name in seconds), default=0)
    return [f"  {name:<{width}}  {exactly(taken):>12}" for name, taken in seconds.items()]


def about(seconds: float) -> str:
    """Return a guess in words: whole minutes, or less than one."""
    minutes = round(seconds / 60)
    return f"about {minutes} min" if minutes else "less than a minute"


def exactly(seconds: float) -> str:
    """Return a measured time: 0.3 s, 45 s, 5 min 12 s."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def clock(seconds: float) -> str:
    """Return how long a step has been running: 0:07, 5:12."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"


def last_line(log: Path) -> str:
    """Return the last line of a log that is not empty, without control characters."""
    try:
        with log.open("rb") as file:
            file.seek(max(log.stat().st_size - TAIL_BYTES, 0))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    lines = [NOT_SHOWN.sub("", line).strip() for line in re.split(r"[\r\n]+", text)]
    return next((line for line in reversed(lines) if line), "")


def cut(line: str, width: int) -> str:
    """Return a line that fits into a terminal of so many columns."""
    return line if len(line) <= width else line[: max(width - 1, 0)] + "…"
