"""Which way a path is dead: a datagram in each direction, heard by a server that does not reply."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.agent.ops import route_to, udp_exchange, udp_listen
from pytest_ipv6k8s.expectations import remark
from pytest_ipv6k8s.probe.probes import Probe, Probes

_MOST = 3
_SENT = 3


def tell_directions(probes: Probes, family: Family, dead: Sequence[tuple[Probe, Probe]]) -> None:
    """Tell beside the verdict which direction of a path is dead, and whose node has no route.

    Args:
        probes: all.
        family: of the path.
        dead: pairs of probes that do not reach each other; of the first ones it is told.
    """
    pairs = list(dict.fromkeys(frozenset(pair) for pair in dead))[:_MOST]
    for one, other in map(tuple, pairs):
        ways = [(one, other), (other, one)]
        told = [f"{a.node} → {b.node} {_in_words(a, b, family)}" for a, b in ways]
        remark(f"datagrams {' and '.join(told)}")
        for a, b in ways:
            _tell_route(probes, a, b.address(family))


def _in_words(sender: Probe, receiver: Probe, family: Family) -> str:
    address = receiver.address(family)
    port = receiver.ask(udp_listen.Request(address)).answer.port
    sender.ask(udp_exchange.Request(address, port, count=_SENT, timeout=0.5))
    inbox = udp_listen.Request(address, port, wanted=1, timeout=0.5)
    return "arrive" if receiver.ask(inbox).answer.received else "are lost"


def _tell_route(probes: Probes, sender: Probe, address: str) -> None:
    for host in probes.hosts:
        if host.node == sender.node:
            error = host.ask(route_to.Request(address)).answer.error
            if error:
                remark(f"node {host.node} has no route to {address} ({error})")
