"""How long the container was kept from the processor lately, as its own cgroup counts it."""

from __future__ import annotations

import time
from collections import deque
from typing import Deque, Iterable, Tuple

LATELY = 10.0
"""Seconds that count as lately."""

# cgroup v2, then v1 as most distributions mount it: file, field, fields' units in a second.
_COUNTERS = (
    ("/sys/fs/cgroup/cpu.stat", "throttled_usec", 1e6),
    ("/sys/fs/cgroup/cpu/cpu.stat", "throttled_time", 1e9),
)
_noted: Deque[Tuple[float, float]] = deque(maxlen=int(LATELY) + 1)


def note() -> None:
    """Note once a second how long the container was throttled since it began."""
    now = time.monotonic()
    if not _noted or now - _noted[-1][0] >= 1.0:
        _noted.append((now, _since_start()))


def seconds() -> float:
    """Return for how many of the last seconds the container was throttled, as far as noted.

    Each processor counts: more than one at a time can be.
    """
    now = time.monotonic()
    before = [total for moment, total in tuple(_noted) if now - moment <= LATELY]
    return max(_since_start() - before[0], 0.0) if before else 0.0


def _since_start() -> float:
    for path, field, units in _COUNTERS:
        try:
            with open(path, encoding="ascii") as file:
                return value_of(field, file) / units
        except OSError:
            continue
    return 0.0


def value_of(field: str, lines: Iterable[str]) -> int:
    """Return a field of a cgroup's ``cpu.stat``; 0 where the kernel does not count it."""
    for line in lines:
        name, _, value = line.partition(" ")
        if name == field:
            return int(value)
    return 0
