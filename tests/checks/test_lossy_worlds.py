"""Three packets lost in a hundred turn a check red, one in a hundred turns none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.probe.probes import ProbePod
from pytest_ipv6k8s.suite.loss import allowed
from pytest_ipv6k8s.verdicts import Verdict
from tests.checks.lossy import kill_flows, lose, timed_out
from tests.checks.world import World, record_check, run_check

LOSS = ("ADDR-17", "ADDR-34")
SEEDS = range(50)
V6 = Family.V6


def _one_way(pod: ProbePod, request: Any) -> bool:
    """Pick what goes between the two nodes, whichever of them asks."""
    return pod.name in ("probe-00", "probe-01") and "::2" in request.address


def _verdicts(id: str, rate: float) -> list[Verdict]:
    found = []
    for seed in SEEDS:
        world = World(Stack.IPV6)
        lose(world, rate, seed, only=_one_way)
        found.append(run_check(world, id, V6).verdict)
    return found


@pytest.mark.parametrize("id", LOSS)
@pytest.mark.parametrize("rate", [0.03, 0.05, 0.3, 0.51])
def test_three_in_a_hundred_on_one_path_are_always_red(id: str, rate: float) -> None:
    assert set(_verdicts(id, rate)) == {Verdict.FAIL}


SERVICES = ("SVC-01", "SVC-02", "SVC-05", "SVC-06", "SVC-12", "SVC-13")
NEVER_RED = ("ADDR-15", "ADDR-16", "ADDR-20", *SERVICES, *LOSS)


@pytest.mark.parametrize("id", NEVER_RED)
@pytest.mark.parametrize("rate", [0.0, 0.01])
def test_one_in_a_hundred_is_never_red(id: str, rate: float) -> None:
    found = []
    for seed in SEEDS:
        world = World(Stack.IPV6)
        lose(world, rate, seed)
        found.append(run_check(world, id, V6).verdict)

    assert set(found) == {Verdict.PASS}


@pytest.mark.parametrize("id", ["ADDR-16", "SVC-01", "SVC-02", "SVC-06", *LOSS])
def test_one_flow_in_two_is_red(id: str) -> None:
    world = World(Stack.IPV6)
    kill_flows(world)

    judgement = run_check(world, id, V6)

    assert judgement.verdict is Verdict.FAIL, judgement


@pytest.mark.parametrize(("id", "family"), [("SVC-06", V6), ("SVC-11", None)])
@pytest.mark.parametrize(
    ("name", "node"), [("probe-00", "node-0"), ("probe-01", "node-1"), ("probe-peer", "node-0")]
)
def test_an_endpoint_that_is_dead_behind_a_service_is_named(
    id: str, family: Family | None, name: str, node: str
) -> None:
    world = World(Stack.DUAL)
    world.override(
        "tcp_connect",
        lambda pod, request, answer: timed_out(answer) if answer.pod == name else answer,
    )

    judgement = run_check(world, id, family)

    assert judgement.verdict is Verdict.FAIL, judgement
    assert f"none answered by pod {name} (node {node})" in judgement.reason


@pytest.mark.parametrize("id", ["ADDR-15", "ADDR-16", *LOSS])
def test_a_pod_that_does_not_answer_is_named_with_its_node(id: str) -> None:
    world, (dead,) = World(Stack.IPV6), (p for p in World(Stack.IPV6).pods if p.name == "probe-01")
    lose(world, 1.0, 0, only=lambda pod, request: request.address in dead.ips)

    judgement = run_check(world, id, V6)

    assert judgement.verdict is Verdict.FAIL, judgement
    assert "of pod probe-01 (node node-1)" in judgement.reason


@pytest.mark.parametrize("id", ["ADDR-16", "SVC-01", "SVC-02", "SVC-06"])
@pytest.mark.parametrize("name", ["node-0", "node-1"])
def test_a_node_whose_pods_get_nowhere_is_named(id: str, name: str) -> None:
    world = World(Stack.IPV6)
    lose(world, 1.0, 0, only=lambda pod, request: pod.node == name)

    judgement = run_check(world, id, V6)

    assert judgement.verdict is Verdict.FAIL, judgement
    assert name in judgement.reason


@pytest.mark.parametrize("id", LOSS)
def test_what_loses_packets_explains_what_else_is_lost_there(id: str) -> None:
    world = World(Stack.IPV6)
    lose(world, 1.0, 0, only=_one_way)

    judgement, records = record_check(world, id, V6)

    assert judgement.verdict is Verdict.FAIL
    assert [record for record in records if record.mark.judged and record.mark.failed]


@pytest.mark.parametrize("id", ["ADDR-20", "SVC-12"])
def test_what_a_path_without_an_answer_shows_is_not_known(id: str) -> None:
    world = World(Stack.IPV6)
    lose(world, 1.0, 0, only=lambda pod, request: pod.name == "probe-01")

    judgement = run_check(world, id, V6)

    assert judgement.verdict is Verdict.INCONCLUSIVE, judgement


def test_a_proxy_that_chooses_by_the_clients_address_is_not_blamed() -> None:
    world, chosen = World(Stack.IPV6), {"probe-00": "probe-peer", "peer-01": "probe-00"}
    world.override(
        "tcp_connect",
        lambda pod, request, answer: replace(answer, pod=chosen.get(pod.name, answer.pod)),
    )

    judgement = run_check(world, "SVC-06", V6)

    assert judgement.verdict is Verdict.PASS, judgement


@pytest.mark.parametrize("chosen", ["probe-00", "probe-peer", "probe-01"])
@pytest.mark.parametrize("id", ["SVC-05", "SVC-06"])
def test_loss_is_no_fault_of_a_proxy_that_always_chooses_one_pod(id: str, chosen: str) -> None:
    found = []
    for seed in SEEDS:
        world = World(Stack.IPV6)
        lose(world, 0.03, seed)
        _always_send(world, "probe-01", chosen)
        found.append(run_check(world, id, V6).verdict)

    assert set(found) == {Verdict.PASS}


def test_a_pod_always_sent_to_itself_and_never_reached_is_named() -> None:
    world = World(Stack.IPV6)
    _always_send(world, "probe-01", "probe-01", timed_out)

    judgement = run_check(world, "SVC-05", V6)

    assert judgement.verdict is Verdict.FAIL
    assert "none, and 60 of 60 lost: pod probe-01 (node node-1" in judgement.reason


def _always_send(
    world: World, name: str, to: str, change: Callable[[Any], Any] = lambda answer: answer
) -> None:
    """Let the proxy send a pod's connections to a Service with several endpoints to one of them."""
    several, lossy = world.services["every"].cluster_ips, world.overrides.get("tcp_connect")

    def answer(pod: ProbePod, request: Any, honest: Any) -> Any:
        if pod.name == name and request.address in several:
            honest = change(replace(honest, pod=to))
        return lossy(pod, request, honest) if lossy else honest

    world.override("tcp_connect", answer)


def test_what_was_lost_is_told_where_it_is_not_red() -> None:
    world = World(Stack.IPV6)
    lose(world, 0.01, seed=1)

    judgement = run_check(world, "ADDR-17", V6)

    assert "datagrams lost on 3 paths, most (1." in judgement.reason


def test_the_limit_lies_between_one_and_three_in_a_hundred_for_any_count() -> None:
    assert allowed(3000) == 54
    assert all(0.01 * count < allowed(count) for count in range(300, 3001, 100))
