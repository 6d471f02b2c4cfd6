"""Resolve a name as applications do: getaddrinfo of the pod's C library."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import Tuple

from pytest_ipv6k8s.probe.ops import Question


@dataclass(frozen=True)
class Answer:
    """The addresses in the order in which they came, each once."""

    addresses: Tuple[str, ...] = ()
    error: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Request(Question[Answer]):
    """A name; ``timeout`` only bounds how long the host waits for the answer."""

    name: str
    timeout: float = 10.0


def perform(request: Request) -> Answer:
    started = time.monotonic()
    try:
        found = socket.getaddrinfo(request.name, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        return Answer(error=str(error.strerror), seconds=time.monotonic() - started)
    addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
    return Answer(addresses=addresses, seconds=time.monotonic() - started)
