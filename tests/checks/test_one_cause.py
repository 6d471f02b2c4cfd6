"""What is broken turns the check red that is for it, and not its neighbours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.probe.probes import ProbePod
from pytest_ipv6k8s.verdicts import Verdict
from tests.checks.world import World, run_check


def _without_hairpin(stack: Stack) -> World:
    """A cluster like that of Cilium 1.18: over IPv6, no pod reaches itself through a Service."""
    world = World(stack)

    def connect(pod: ProbePod, request: Any, answer: Any) -> Any:
        own = answer.pod == pod.name and Family.of(request.address) is Family.V6
        lost = replace(answer, connected=False, echoed=False, pod="", error="ETIMEDOUT")
        return lost if own else answer

    def send(pod: ProbePod, request: Any, answer: Any) -> Any:
        own = request.address in world.services["every"].cluster_ips
        return replace(answer, arrived=False, arrivals=0, error="ETIMEDOUT") if own else answer

    world.override("tcp_connect", connect)
    world.override("udp_sized", send)
    return world


def test_a_proxy_that_works_on_sockets_refuses_at_once_too() -> None:
    world = World(Stack.IPV6)

    def connect(pod: ProbePod, request: Any, answer: Any) -> Any:
        return replace(answer, error="EPERM") if answer.error == "ECONNREFUSED" else answer

    world.override("tcp_connect", connect)

    assert run_check(world, "SVC-13", Family.V6).verdict is Verdict.PASS


def test_a_pod_that_does_not_reach_itself_is_seen() -> None:
    judgement = run_check(_without_hairpin(Stack.IPV6), "SVC-05", Family.V6)

    assert judgement.verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("id", "stack", "family"),
    [
        ("SVC-06", Stack.IPV6, Family.V6),
        ("SVC-11", Stack.DUAL, None),
        ("MTU-06", Stack.IPV6, Family.V6),
    ],
)
def test_other_checks_of_services_do_not_need_a_pod_to_reach_itself(
    id: str, stack: Stack, family: Family | None
) -> None:
    judgement = run_check(_without_hairpin(stack), id, family)

    assert judgement.verdict is Verdict.PASS, judgement.reason
