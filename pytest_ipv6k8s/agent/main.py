"""The program in the pod.

``serve`` answers peers, ``wait`` does nothing, ``ask`` carries out questions line by line.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, Iterator

from pytest_ipv6k8s.agent import throttling, wire

SILENCE = 60.0
AT_ONCE = 64
_writing = threading.Lock()


def main() -> None:
    """Do what the one argument says."""
    if sys.argv[1:] == ["serve"]:
        serve()
    elif sys.argv[1:] == ["wait"]:
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
        signal.pause()
    elif sys.argv[1:] == ["ask"]:
        ask()
    else:
        sys.exit("usage: agent serve|wait|ask")


def serve() -> None:
    """Note the first moment and serve; what that takes is imported here: most agents only ask."""
    from pytest_ipv6k8s.agent import server
    from pytest_ipv6k8s.agent.ops import startup_addresses

    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    startup_addresses.note()
    server.serve()


def ask() -> None:
    """Answer questions from standard input; leave at its end, on ``bye``, or after silence."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for line in _lines():
            if line == b"bye":
                return
            pool.submit(_answer, wire.parse(line))


def _lines() -> Iterator[bytes]:
    rest = b""
    while select.select([0], [], [], SILENCE)[0]:
        data = os.read(0, 65536)
        if not data:
            return
        *whole, rest = (rest + data).split(b"\n")
        yield from whole


def _answer(message: Dict[str, Any]) -> None:
    seq = message["seq"]
    throttling.note()
    try:
        line = wire.answer_line(seq, wire.perform(message["op"], message["args"]))
    except Exception as error:
        line = wire.broken_line(seq, "%s: %s" % (type(error).__name__, error))
    with _writing:
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
