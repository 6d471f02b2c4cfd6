"""One watch over the packets of a node at a time. Standard library only."""

from __future__ import annotations

import select
import socket
import threading
from contextlib import suppress
from typing import Any, Dict, List, Optional, Sequence

from pytest_ipv6k8s.agent.drops import Drop, Drops
from pytest_ipv6k8s.agent.nftrace import MOST, Trace
from pytest_ipv6k8s.agent.packets import MOST_PACKETS, Capture

ETHERTYPES = {4: 0x0800, 6: 0x86DD}


class Watch:
    """Watches from now on, until :meth:`end`; it breaks off after ``seconds``, or too many packets.

    Args:
        addresses: of one family; the packets from or to them are followed through nftables.
        seconds: after which it ends by itself.
    """

    def __init__(self, addresses: Sequence[str], seconds: float) -> None:
        self.missing: Dict[str, str] = {}
        self.capture: Optional[Capture] = self._made("packets", Capture)
        self.trace: Optional[Trace] = self._made("nftables", lambda: Trace(addresses))
        version = 6 if any(":" in address for address in addresses) else 4
        self._drops: Optional[Drops] = self._made("kernel", lambda: Drops(ETHERTYPES[version]))
        self.drops: List[Drop] = []
        self._seconds = seconds
        self.broke_off = False
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop, and leave nothing behind."""
        self._woken.close()
        self._thread.join()

    def _made(self, what: str, make: Any) -> Any:
        """Return a source; note why there is none."""
        try:
            return make()
        except OSError as error:
            self.missing[what] = error.strerror or str(error)
            return None

    def _run(self) -> None:
        sources = [source for source in (self.capture, self.trace) if source]
        waiting = select.poll()
        by_number = {source.fileno(): source for source in sources}
        for number in (self._wake.fileno(), *by_number):
            waiting.register(number, select.POLLIN | select.POLLHUP)
        timer = threading.Timer(self._seconds, self._stop)
        timer.daemon = True
        timer.start()
        try:
            self._take_all(waiting, by_number)
        finally:
            timer.cancel()
            self._close(sources)

    def _take_all(self, waiting: Any, by_number: Dict[int, Any]) -> None:
        while True:
            ready = [number for number, _ in waiting.poll()]
            for number in ready:
                if number in by_number:
                    with suppress(OSError):
                        by_number[number].take()
            busy = any(number in by_number for number in ready)
            if self._is_full():
                self.broke_off = True
            if self.broke_off or (self._wake.fileno() in ready and not busy):
                return

    def _is_full(self) -> bool:
        packets = self.capture.packets if self.capture else 0
        messages = self.trace.messages if self.trace else 0
        return packets >= MOST_PACKETS or messages >= MOST

    def _stop(self) -> None:
        self.broke_off = True
        self._woken.close()

    def _close(self, sources: List[Any]) -> None:
        for source in sources:
            source.close()
        if self._drops:
            with suppress(OSError):
                self.drops = self._drops.read()
            self._drops.close()
        self._wake.close()


_watch: "Optional[Watch]" = None


def begin(addresses: Sequence[str], seconds: float) -> "Dict[str, str]":
    """Begin to watch; return which sources are missing, and why."""
    global _watch
    if _watch is not None:
        _watch.end()
    _watch = Watch(addresses, seconds)
    return _watch.missing


def end() -> "Optional[Watch]":
    """End the watch that was begun and return it; None when there was none."""
    global _watch
    ended, _watch = _watch, None
    if ended is not None:
        ended.end()
    return ended
