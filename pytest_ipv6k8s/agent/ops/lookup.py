"""Resolve a name as applications do: getaddrinfo of the pod's C library."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import Tuple

from pytest_ipv6k8s.agent import ops, sockets


@dataclass(frozen=True)
class Answer:
    """The addresses in the order in which they came, each once."""

    addresses: Tuple[str, ...] = ()
    error: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """A name; ``timeout`` in seconds."""

    awaits_one = True
    name: str
    timeout: float = sockets.BY_NAME


def perform(request: Request) -> Answer:
    started = time.monotonic()
    try:
        addresses = tuple(sockets.resolve(request.name, request.timeout))
    except socket.gaierror as error:
        return Answer(error=str(error.strerror), seconds=time.monotonic() - started)
    except OSError as error:
        name = sockets.name_of_error(error)
        return Answer(error=name, seconds=time.monotonic() - started)
    return Answer(addresses=addresses, seconds=time.monotonic() - started)
