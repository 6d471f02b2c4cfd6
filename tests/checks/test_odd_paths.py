"""Paths that are odd and healthy: nothing turns red on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.agent.ops.interfaces import Link
from pytest_ipv6k8s.probe.probes import ProbePod
from pytest_ipv6k8s.verdicts import Verdict
from tests.checks.breaking import Break, answers
from tests.checks.world import World, run_check

V6 = Family.V6
FALLBACK = (
    Link("eth0", 1500, kind="veth"),
    Link("erspan0", 1450, up=False, kind="erspan"),
    Link("can0", 72, up=False, kind="vcan"),
)


def narrow(*, told: int) -> Break:
    """Links between the nodes that carry less than the pods' MTU, and say so."""

    def break_it(world: World) -> None:
        def send(pod: ProbePod, request: Any, answer: Any) -> Any:
            if request.size + 48 <= told:
                return answer
            return replace(answer, arrived=False, arrivals=0, too_big=True, path_mtu=told)

        world.override("udp_sized", send)

    return break_it


def firewalled(operation: str, **silence: Any) -> Break:
    """Nodes that answer nothing that they do not know."""

    def of_nodes(pod: ProbePod, request: Any) -> bool:
        return request.address in pod.host_ips or request.address.startswith("fd00:18:")

    return answers(operation, of_nodes, **silence)


SILENT: dict[str, Any] = {"icmp_type": -1, "icmp_code": -1, "error": "ETIMEDOUT"}


@pytest.mark.parametrize(
    ("id", "odd", "said"),
    [
        ("MTU-01", answers("interfaces", links=FALLBACK), ""),
        ("MTU-04", narrow(told=1400), "path MTU learned on 2 of 2 paths: 1400"),
        ("MTU-04", answers("udp_sized", lambda p, r: r.size < 1453, arrivals=19), "38 of 40"),
        ("MTU-10", firewalled("hop_limit", **SILENT), ""),
        ("MTU-10", answers("hop_limit", icmp_code=1, offender="fd00:18::2"), ""),
        ("MTU-13", firewalled("ping", received=0), ""),
        ("MTU-14", answers("tcp_connect", seen_mss=1220), "clamped on 2 of 2 paths, to 1220"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_odd_paths_are_healthy(id: str, odd: Break, said: str) -> None:
    world = World(Stack.IPV6)
    odd(world)

    judgement = run_check(world, id, V6)

    assert judgement.verdict is Verdict.PASS, judgement.reason
    assert said in judgement.reason


@pytest.mark.parametrize(
    ("id", "odd"),
    [
        ("MTU-20", firewalled("hop_limit", **SILENT)),
        ("MTU-21", firewalled("ping", received=0)),
    ],
)
def test_firewalls_of_nodes_are_told_and_never_red(id: str, odd: Break) -> None:
    world = World(Stack.IPV6)
    odd(world)

    judgement = run_check(world, id)

    assert judgement.verdict is Verdict.INFORMATIONAL
    assert judgement.reason


@pytest.mark.parametrize(
    ("id", "unable"),
    [
        ("MTU-02", answers("route_to", interface="", mtu=0, error="ENETUNREACH")),
        ("MTU-13", answers("ping", permitted=False, received=0, error="EACCES")),
        ("MTU-14", answers("tcp_connect", seen_mss=0)),
    ],
)
def test_what_cannot_be_asked_is_not_blamed_on_the_cluster(
    id: str, unable: Callable[[World], None]
) -> None:
    world = World(Stack.IPV6)
    unable(world)

    assert run_check(world, id, V6).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(("id", "family"), [("MTU-05", V6), ("MTU-06", V6), ("N64-23", None)])
@pytest.mark.parametrize(
    ("fragments", "verdict"), [(0, Verdict.INCONCLUSIVE), (-1, Verdict.PASS), (40, Verdict.PASS)]
)
def test_what_left_whole_tells_nothing_of_fragments(
    id: str, family: Family | None, fragments: int, verdict: Verdict
) -> None:
    world = World(Stack.IPV6)
    answers("udp_sized", fragments=fragments)(world)

    assert run_check(world, id, family).verdict is verdict
