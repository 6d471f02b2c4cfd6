"""How many ICMPv6 errors the kernel has received in the pod's network namespace (RFC 4293)."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_ipv6k8s.agent import ops

FILE = "/proc/net/snmp6"


@dataclass(frozen=True)
class Answer:
    """Packet-too-big messages received since the namespace was made."""

    too_big: int


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """``timeout`` is not used: nothing is waited for."""

    timeout: float = 1.0


def perform(request: Request) -> Answer:
    with open(FILE) as file:
        counters = dict(line.split() for line in file)
    return Answer(too_big=int(counters["Icmp6InPktTooBigs"]))
