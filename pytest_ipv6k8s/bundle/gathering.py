"""Reading many things side by side, in bounded time."""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass


class Keep(enum.Enum):
    """Which part of a text stays when it is too long."""

    BEGINNING = "beginning"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of a bundle; ``name`` is its path in it."""

    name: str
    text: str
    keep: Keep = Keep.BEGINNING


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What was read, the most telling first, and a line for what could not be read."""

    files: tuple[File, ...] = ()
    missing: tuple[str, ...] = ()

    def __add__(self, other: Gathered) -> Gathered:
        return Gathered(files=self.files + other.files, missing=self.missing + other.missing)


Source = Callable[[], Iterable[File]]


def gather(sources: Mapping[str, Source], *, timeout: float) -> Gathered:
    """Read sources side by side; never raises, and never takes longer than it is given.

    Args:
        sources: by a name for messages, what yields files one by one.
        timeout: seconds; what has not been read by then is left out.
    """
    deadline = time.monotonic() + timeout
    readings = {name: _Reading(source) for name, source in sources.items()}
    for reading in readings.values():
        reading.start()
    for reading in readings.values():
        reading.join(max(0.0, deadline - time.monotonic()))
    files: list[File] = []
    missing: list[str] = []
    for name, reading in readings.items():
        late = f"not read within {timeout:.1f} s" if reading.is_alive() else ""
        files += list(reading.files)
        missing += [f"{name}: {why}" for why in (reading.trouble or late,) if why]
    return Gathered(files=tuple(files), missing=tuple(missing))


class _Reading(threading.Thread):
    """Reads one source. A daemon: a source that hangs keeps nobody from leaving."""

    def __init__(self, source: Source) -> None:
        super().__init__(daemon=True)
        self._source = source
        self.files: list[File] = []
        self.trouble = ""

    def run(self) -> None:
        try:
            for file in self._source():
                self.files.append(file)
        except Exception as error:  # whatever goes wrong here must not change a verdict
            self.trouble = str(error) or type(error).__name__
