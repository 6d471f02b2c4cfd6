"""Honest answers of the operations that count what gets lost, in a world that loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytest_ipv6k8s.agent.ops import tcp_loss, udp_loss
from pytest_ipv6k8s.probe.probes import ProbePod


def _udp_loss(world: Any, pod: ProbePod, request: udp_loss.Request) -> udp_loss.Answer:
    return udp_loss.Answer(
        sent=request.count,
        lost=0,
        flows=request.flows,
        pods=(world._target(request.address).name,),
        local=world._source(pod, request.address),
    )


def _tcp_loss(world: Any, pod: ProbePod, request: tcp_loss.Request) -> tcp_loss.Answer:
    return tcp_loss.Answer(
        trips=request.count,
        lossy=0,
        connections=request.connections,
        pods=(world._target(request.address).name,),
        local=world._source(pod, request.address),
    )


ANSWERS: dict[str, Callable[[Any, ProbePod, Any], Any]] = {
    "udp_loss": _udp_loss,
    "tcp_loss": _tcp_loss,
}
