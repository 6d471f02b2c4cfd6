"""What the container found when it started: address flags, and whether they could be used."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import Tuple

from pytest_ipv6k8s.agent import ops
from pytest_ipv6k8s.agent.ops import loopback
from pytest_ipv6k8s.agent.ops.network_state import Address, read_addresses

FILE = "/tmp/startup-addresses.json"


@dataclass(frozen=True)
class Answer:
    """Global addresses at start; ``unusable`` those to which no connection could be opened.

    ``seconds`` is how long it took to listen on and connect to all of them.
    """

    addresses: Tuple[Address, ...]
    unusable: Tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """Nothing to say."""

    timeout: float = 3.0


def perform(request: Request) -> Answer:
    with open(FILE) as file:
        saved = json.load(file)
    return Answer(
        addresses=tuple(Address(**address) for address in saved["addresses"]),
        unusable=tuple(saved["unusable"]),
        seconds=saved["seconds"],
    )


def note() -> None:
    """Look and write down what is found; the first thing that a serving agent does."""
    started = time.monotonic()
    addresses = tuple(address for address in read_addresses() if address.scope == "global")
    unusable = []
    for address in addresses:
        tried = loopback.perform(loopback.Request(address.address))
        if not tried.works:
            unusable.append("%s: %s" % (address.address, tried.error))
    answer = Answer(addresses, tuple(unusable), time.monotonic() - started)
    with open(FILE, "w") as file:
        json.dump(asdict(answer), file)
