"""Say who we are, and what the clock shows."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass

from pytest_ipv6k8s.agent import ops, sockets, throttling


@dataclass(frozen=True)
class Answer:
    """``time`` is seconds since the epoch, by the node's clock.

    ``sctp`` says whether the kernel lets us open an SCTP socket, ``ping`` whether we may send echo
    requests, ``throttled`` for how many of the last seconds our container was kept from the
    processor.
    """

    pod: str
    node: str
    python: str
    kernel: str
    time: float
    sctp: bool = False
    ping: bool = False
    throttled: float = 0.0


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """Nothing to say."""

    timeout: float = 3.0


def perform(request: Request) -> Answer:
    return Answer(
        pod=os.environ.get("POD_NAME", ""),
        node=os.environ.get("NODE_NAME", ""),
        python=platform.python_version(),
        kernel=platform.release(),
        time=time.time(),
        sctp=sockets.has_sctp(),
        ping=sockets.may_ping(),
        throttled=round(throttling.seconds(), 3),
    )
