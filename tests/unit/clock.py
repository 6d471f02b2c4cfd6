"""A clock that stands still until somebody sleeps."""

from __future__ import annotations


class Clock:
    """Time in seconds; ``slept`` is every pause that was asked for."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.slept.append(seconds)
        self.now += seconds
