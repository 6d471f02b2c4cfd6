"""Begin to watch the packets of a node: at its devices, in nftables, and those that it drops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple

from pytest_ipv6k8s.agent import ops, watching


@dataclass(frozen=True)
class Answer:
    """What cannot be watched here, and why: ``packets``, ``nftables`` or ``kernel``, as pairs."""

    missing: "Tuple[Tuple[str, ...], ...]" = ()


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """Addresses of one family, whose packets are followed; after ``most`` seconds it breaks off."""

    addresses: "Tuple[str, ...]"
    most: float = 20.0
    timeout: float = 1.0


def perform(request: Request) -> Answer:
    missing = watching.begin(request.addresses, request.most)
    return Answer(tuple((what, why) for what, why in missing.items()))
