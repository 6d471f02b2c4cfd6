"""The fake testbed: who is where, and honest answers to questions that lead there.

``ANSWERS`` has, by operation, a function that answers a question about the outside, or returns None
when the question is about the cluster. Operations that only the outside needs always answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pytest_ipv6k8s.addresses import Family, extract, in_any
from pytest_ipv6k8s.agent.ops import ping, tcp_connect, udp_exchange
from pytest_ipv6k8s.agent.ports import HTTP_PORT, TCP_PORT
from pytest_ipv6k8s.probe.probes import ProbePod
from pytest_ipv6k8s.testbed import layout
from tests.checks import answers_egr, sizes

if TYPE_CHECKING:
    from tests.checks.world import World

CLAT = "192.0.0.1"
TRANSLATED = (*layout.NAT64_PREFIXES, layout.LOCAL_USE_PREFIX)


def host_at(address: str) -> layout.Host | None:
    """Return the host that answers at an address, also behind a NAT64 prefix."""
    for prefix in TRANSLATED:
        if in_any(address, [prefix]):
            address = extract(address, int(prefix.split("/")[1]))
    known = {a: host for host in layout.HOSTS for a in (host.ipv6, host.ipv4, host.extra) if a}
    return known.get(address)


def is_outside(address: str) -> bool:
    """Tell whether an address belongs to the testbed."""
    return in_any(address, [*layout.IPV6_ROUTES, *layout.IPV4_ROUTES])


def seen_source(world: World, pod: ProbePod, address: str) -> str:
    """Return the source that a host sees: the node's address, or one of the NAT64 pool."""
    if pod.name.startswith("target-"):
        return pod.ips[0]
    if in_any(address, TRANSLATED):
        return layout.NAT64_POOL
    family = Family.of(address)
    return next((ip for ip in pod.host_ips if Family.of(ip) is family), "")


def local(pod: ProbePod, address: str) -> str:
    """Return the source that the pod itself sees."""
    return next((ip for ip in pod.ips if Family.of(ip) is Family.of(address)), "")


def error_towards(pod: ProbePod, address: str) -> str:
    """Return why nobody answers."""
    if not local(pod, address):
        return "ENETUNREACH"
    if in_any(address, layout.BLACK_HOLE_ROUTES):
        return "ETIMEDOUT"
    return "EHOSTUNREACH"


def _tcp_connect(world: World, pod: ProbePod, request: tcp_connect.Request) -> Any:
    if not is_outside(request.address):
        return None
    host = host_at(request.address)
    if host and request.port not in (HTTP_PORT, TCP_PORT):
        return tcp_connect.Answer(connected=False, error="ECONNREFUSED")
    source = local(pod, request.address) or (CLAT if world.outside.clat else "")
    if host is None or not source:
        return tcp_connect.Answer(connected=False, error=error_towards(pod, request.address))
    return tcp_connect.Answer(
        connected=True,
        local=source,
        pod=f"target-{host.role}",
        seen_source=seen_source(world, pod, request.address),
        echoed=True,
    )


def _udp_exchange(world: World, pod: ProbePod, request: udp_exchange.Request) -> Any:
    if not is_outside(request.address):
        return None
    host = host_at(request.address)
    if host is None or not local(pod, request.address):
        error = error_towards(pod, request.address)
        return udp_exchange.Answer(sent=request.count, echoed=0, error=error)
    return udp_exchange.Answer(
        sent=request.count,
        echoed=request.count,
        local=local(pod, request.address),
        pod=f"target-{host.role}",
        seen_source=seen_source(world, pod, request.address),
        fragments=request.count * 2 if request.how else 0,
    )


def _ping(world: World, pod: ProbePod, request: ping.Request) -> Any:
    there = host_at(request.address) is not None or not is_outside(request.address)
    reached = there and bool(local(pod, request.address))
    return ping.Answer(permitted=True, sent=request.count, received=request.count if reached else 0)


ANSWERS: dict[str, Callable[[Any, ProbePod, Any], Any]] = {
    "tcp_connect": _tcp_connect,
    "ping": _ping,
    "udp_exchange": _udp_exchange,
    **sizes.ANSWERS,
}
ANSWERS.update(answers_egr.over(ANSWERS))
