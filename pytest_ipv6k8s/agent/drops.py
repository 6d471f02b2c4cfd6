"""Why the kernel drops packets, in its own words: the tracepoint skb:kfree_skb.

Linux has reasons there from 5.17 on; before that it tells the function alone. It is read in a trace
instance of our own, so no other tracer is disturbed. Standard library only.
"""

from __future__ import annotations

import ctypes
import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import List

PREFIX = "ipv6k8s-"
PLACES = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")
_EVENT = re.compile(
    r"\s(?P<time>\d+\.\d+): kfree_skb: .*?location=(?P<location>\S+)(?: reason: (?P<reason>\S+))?"
)
_FILTER = "protocol == {}"
MOST = 4000
STALE = 120.0
"""Seconds after which an instance of ours is one that was left."""


@dataclass(frozen=True)
class Drop:
    """A packet that the kernel dropped: when, by its monotonic clock, in which function, why."""

    time: float
    location: str
    reason: str


class Drops:
    """Collects drops of a protocol, from now on.

    Args:
        ethertype: 0x86dd for IPv6, 0x0800 for IPv4.

    Raises:
        OSError: there is no tracefs here, or it is not ours to use.
    """

    def __init__(self, ethertype: int) -> None:
        root = _root()
        _remove_stale(root)
        self._folder = "%s/instances/%s%s" % (root, PREFIX, os.urandom(4).hex())
        os.mkdir(self._folder)
        try:
            self._write("trace_clock", "mono")
            self._write("buffer_size_kb", "256")
            self._write("events/skb/kfree_skb/filter", _FILTER.format(ethertype))
            self._write("events/skb/kfree_skb/enable", "1")
        except OSError:
            self.close()
            raise

    def read(self) -> List[Drop]:
        """Return what was dropped until now."""
        with open(self._folder + "/trace", encoding="utf-8", errors="replace") as file:
            found = [_EVENT.search(line) for line in file]
        events = [match.groupdict() for match in found if match]
        return [
            Drop(float(one["time"]), one["location"].partition("+")[0], one["reason"] or "")
            for one in events[-MOST:]
        ]

    def close(self) -> None:
        """Remove the instance."""
        with suppress(OSError):
            self._write("events/skb/kfree_skb/enable", "0")
        with suppress(OSError):
            os.rmdir(self._folder)

    def _write(self, name: str, text: str) -> None:
        with open("%s/%s" % (self._folder, name), "w", encoding="ascii") as file:
            file.write(text)


def _root() -> str:
    """Return where tracefs is; it is mounted in our own container where it is not there yet."""
    for place in PLACES:
        if os.path.isdir(place + "/instances"):
            return place
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tracefs", PLACES[0].encode(), b"tracefs", 0, None):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), PLACES[0])
    return PLACES[0]


def _remove_stale(root: str) -> None:
    """Remove what agents left that were killed."""
    for name in os.listdir(root + "/instances"):
        folder = "%s/instances/%s" % (root, name)
        with suppress(OSError):
            if name.startswith(PREFIX) and time.time() - os.stat(folder).st_mtime > STALE:
                os.rmdir(folder)
