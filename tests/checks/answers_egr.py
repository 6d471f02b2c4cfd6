"""Honest answers to what the checks of egress ask: ports, inboxes, flows, a proxy, a cache."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_ipv6k8s.agent.ops import (
    happy_eyeballs,
    http_proxy,
    registry_pull,
    tcp_flows,
    udp_exchange,
    udp_listen,
)
from pytest_ipv6k8s.agent.ports import HTTP_PORT, TCP_PORT, UDP_PORT
from pytest_ipv6k8s.probe.probes import ProbePod
from pytest_ipv6k8s.testbed import layout
from tests.checks import outside

if TYPE_CHECKING:
    from tests.checks.world import World

Answerer = Callable[[Any, ProbePod, Any], Any]
FIRST_INBOX = 50000
SERVED = (HTTP_PORT, TCP_PORT, UDP_PORT)


def with_ports(answerer: Answerer) -> Answerer:
    """Return an answerer that tells of ports, too; the translation changes them."""

    def answer(world: World, pod: ProbePod, request: Any) -> Any:
        honest = answerer(world, pod, request)
        if honest is None or not honest.seen_source:
            return honest
        local_port = request.source_port or 40000
        return replace(honest, local_port=local_port, seen_port=local_port + 1)

    return answer


def inboxes(world: World) -> dict[int, list[udp_listen.Datagram]]:
    """Return the open inboxes of a world, by port."""
    found: dict[int, list[udp_listen.Datagram]] = world.__dict__.setdefault("inboxes", {})
    return found


def _udp_listen(world: World, pod: ProbePod, request: udp_listen.Request) -> udp_listen.Answer:
    boxes = inboxes(world)
    if request.port:
        return udp_listen.Answer(port=request.port, received=tuple(boxes.pop(request.port)))
    port = FIRST_INBOX + len(boxes)
    boxes[port] = []
    return udp_listen.Answer(port=port)


def _to_inbox(world: World, pod: ProbePod, request: udp_exchange.Request) -> udp_exchange.Answer:
    source = outside.local(pod, request.address)
    if outside.is_outside(request.address):
        source = outside.seen_source(world, pod, request.address)
    for number in range(request.count):
        heard = udp_listen.Datagram(source, 40001, f"{request.payload} {number}")
        inboxes(world)[request.port].append(heard)
    return udp_exchange.Answer(sent=request.count, echoed=0, error="ETIMEDOUT")


def with_inboxes(answerer: Answerer) -> Answerer:
    """Return an answerer that knows inboxes and closed ports, too."""

    def answer(world: World, pod: ProbePod, request: udp_exchange.Request) -> Any:
        if request.port in inboxes(world):
            return _to_inbox(world, pod, request)
        if outside.host_at(request.address) and request.port not in SERVED:
            return udp_exchange.Answer(sent=request.count, echoed=0, error="ECONNREFUSED")
        return answerer(world, pod, request)

    return answer


def _tcp_flows(world: World, pod: ProbePod, request: tcp_flows.Request) -> tcp_flows.Answer:
    source = outside.seen_source(world, pod, request.address)
    return tcp_flows.Answer(request.count, request.count, seen_sources=(source,), seconds=0.2)


def _happy_eyeballs(world: World, pod: ProbePod, request: Any) -> happy_eyeballs.Answer:
    dead = layout.BLACK_HOLE[0] if request.name.startswith("black-hole") else layout.REJECTER[0]
    live = layout.HOSTS[0].ipv4
    return happy_eyeballs.Answer(address=live, addresses=(dead, live), resolved=0.01, seconds=0.27)


def _http_proxy(world: World, pod: ProbePod, request: http_proxy.Request) -> http_proxy.Answer:
    host = outside.host_at(request.target)
    if host is None or request.target_port not in SERVED:
        return http_proxy.Answer(granted=403)
    return http_proxy.Answer(granted=200, status=200, pod=f"target-{host.role}")


def _registry_pull(world: World, pod: ProbePod, request: Any) -> registry_pull.Answer:
    if request.reference != "latest":
        return registry_pull.Answer(status=404)
    return registry_pull.Answer(status=200, digest="sha256:0", verified=2, size=300)


def over(answers: Mapping[str, Answerer]) -> dict[str, Answerer]:
    """Return the answers of this area, those of others completed."""
    return {
        "tcp_connect": with_ports(answers["tcp_connect"]),
        "udp_exchange": with_inboxes(with_ports(answers["udp_exchange"])),
        "udp_listen": _udp_listen,
        "tcp_flows": _tcp_flows,
        "happy_eyeballs": _happy_eyeballs,
        "http_proxy": _http_proxy,
        "registry_pull": _registry_pull,
    }
