"""The network interfaces and their MTUs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Tuple

from pytest_ipv6k8s.agent import ops

FOLDER = "/sys/class/net"


@dataclass(frozen=True)
class Link:
    """An interface; ``mtu`` in bytes."""

    name: str
    mtu: int


@dataclass(frozen=True)
class Answer:
    """All interfaces but loopback, by name."""

    links: Tuple[Link, ...]


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """``timeout`` is not used: nothing is waited for."""

    timeout: float = 1.0


def perform(request: Request) -> Answer:
    found = []
    for name in sorted(os.listdir(FOLDER)):
        try:
            with open("%s/%s/mtu" % (FOLDER, name)) as file:
                found.append(Link(name, int(file.read())))
        except OSError:
            continue
    return Answer(tuple(link for link in found if link.name != "lo"))
