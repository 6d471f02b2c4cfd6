"""Which way a path is dead, and what is known of its ends: told beside the verdict."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.agent.ops import (
    Request,
    hop_limit,
    http_get,
    network_state,
    route_to,
    tcp_connect,
    udp_exchange,
    udp_listen,
)
from pytest_ipv6k8s.agent.ports import CLOSED_PORT, TCP_PORT
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.expectations import remark
from pytest_ipv6k8s.probe.probes import Probe, Probes
from pytest_ipv6k8s.threads import at_once

PROXY_HEALTH = 10256
"""kube-proxy's healthzBindAddress."""
_MOST = 3
_SENT = 3


def tell_directions(probes: Probes, family: Family, dead: Sequence[tuple[Probe, Probe]]) -> None:
    """Tell which direction of a path is dead, and whose node has no route or does not forward.

    A datagram is sent each way, and heard by a server that does not reply.

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
    _tell_switches(probes, family, {probe.node for pair in pairs for probe in pair})


def tell_neighbours(probes: Probes, family: Family, dead: Sequence[tuple[Probe, Probe]]) -> None:
    """Tell whether a path works with another pod of the same node at one of its ends.

    Args:
        probes: all.
        family: of the paths.
        dead: who does not reach whom; of the first ones it is told.
    """
    everybody = [*probes, *probes.peers]
    ways: list[tuple[str, Probe, Probe]] = []
    for one, other in list(dict.fromkeys(dead))[:_MOST]:
        for end in (one, other):
            beside = next((p for p in everybody if p.node == end.node and p is not end), None)
            if beside:
                changed = (
                    f"from {one.name} to {other.name}, with another pod of node {end.node} in "
                    f"place of {end.name}"
                )
                ways.append(
                    (changed, beside if end is one else one, other if end is one else beside)
                )

    def works(way: tuple[str, Probe, Probe]) -> bool:
        _, sender, receiver = way
        request = tcp_connect.Request(receiver.address(family), TCP_PORT, timeout=2.0)
        return sender.ask(request).answer.echoed

    for (changed, _, _), does in zip(ways, at_once(works, ways), strict=True):
        remark(f"{changed}, the path {'works' if does else 'is dead, too'}")


def _tell_switches(probes: Probes, family: Family, nodes: Collection[str]) -> None:
    """Tell which nodes have a switch off that lets packets through, where somebody may look."""
    hosts = [host for host in probes.hosts if host.node in nodes]
    states = probes.ask_each(lambda _: [network_state.Request()], among=hosts) if hosts else []
    for state in states:
        for name, value in state.answer.switches.items():
            if value == "0" and name in network_state.SWITCHES[family.value]:
                remark(f"node {probes.named(state.source).node}: {name} is 0")


def tell_errors(probes: Probes, family: Family, failed: Sequence[Record[Any]]) -> None:
    """Tell which nodes report an exceeded hop limit: whether their ICMP errors get to pods.

    Where a pod on another node is one hop away, there is no node to tell.
    """
    for probe in [probes.named(name) for name in dict.fromkeys(r.source for r in failed)][:_MOST]:
        for other in [each for each in probes.one_per_node if each.node != probe.node][:1]:
            asked = hop_limit.Request(other.address(family), CLOSED_PORT, hops=1, timeout=3.0)
            answer = probe.ask(asked).answer
            if answer.offender != other.address(family):
                does = "reports" if answer.icmp_type >= 0 else "does not report"
                remark(f"node {probe.node} {does} an exceeded hop limit")


def tell_endpoint(probes: Probes, failed: Sequence[Record[Any]], request: Request[Any]) -> None:
    """Tell whether the endpoint of a Service answers those who get nothing through the Service.

    Args:
        probes: all; the peer is the endpoint.
        failed: what those got.
        request: the same, asked of the endpoint itself.
    """
    peer = probes.peer
    for probe in [probes.named(name) for name in dict.fromkeys(r.source for r in failed)][:_MOST]:
        answers = probe.ask(request).answer.echoed
        does = "answers" if answers else "does not answer"
        own = ", its own" if probe.node == peer.node else ""
        remark(f"asked itself, the endpoint {does} node {probe.node}{own}")
    nodes = {probes.named(record.source).node for record in failed}
    _tell_proxies(probes, nodes)
    _tell_switches(probes, Family.of(failed[0].request["address"]), nodes)


def _tell_proxies(probes: Probes, nodes: Collection[str]) -> None:
    """Tell which nodes' kube-proxy lives, where somebody may ask and there is one."""
    for host in [host for host in probes.hosts if host.node in nodes]:
        request = http_get.Request(host.pod.ips[0], PROXY_HEALTH, "/healthz", keep=0, timeout=2.0)
        answer = host.ask(request).answer
        if answer.status or answer.error == "ETIMEDOUT":
            does = "answers" if answer.status else "does not answer"
            remark(f"kube-proxy on node {host.node} {does} at its health port")


def _in_words(sender: Probe, receiver: Probe, family: Family) -> str:
    address = receiver.address(family)
    port = receiver.ask(udp_listen.Request(address)).answer.port
    sender.ask(udp_exchange.Request(address, port, count=_SENT, timeout=0.5))
    inbox = udp_listen.Request(address, port, wanted=1, timeout=0.5)
    return "arrive" if receiver.ask(inbox).answer.received else "are lost"


def _tell_route(probes: Probes, sender: Probe, address: str) -> None:
    for host in probes.hosts:
        if host.node == sender.node:
            way = host.ask(route_to.Request(address)).answer
            if way.error:
                remark(f"node {host.node} has no route to {address} ({way.error})")
            elif way.default:
                remark(f"node {host.node} leads {address} to its default route")
