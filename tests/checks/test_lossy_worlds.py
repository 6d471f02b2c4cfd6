"""Three packets lost in a hundred turn a check red, one in a hundred turns none."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.probe.probes import ProbePod
from pytest_ipv6k8s.suite.loss import allowed
from pytest_ipv6k8s.verdicts import Verdict
from tests.checks.lossy import kill_flows, lose
from tests.checks.world import World, run_check

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


NEVER_RED = ("ADDR-15", "ADDR-16", "ADDR-20", *LOSS)


@pytest.mark.parametrize("id", NEVER_RED)
@pytest.mark.parametrize("rate", [0.0, 0.01])
def test_one_in_a_hundred_is_never_red(id: str, rate: float) -> None:
    found = []
    for seed in SEEDS:
        world = World(Stack.IPV6)
        lose(world, rate, seed)
        found.append(run_check(world, id, V6).verdict)

    assert set(found) == {Verdict.PASS}


@pytest.mark.parametrize("id", ["ADDR-16", *LOSS])
def test_one_flow_in_two_is_red(id: str) -> None:
    world = World(Stack.IPV6)
    kill_flows(world)

    judgement = run_check(world, id, V6)

    assert judgement.verdict is Verdict.FAIL, judgement


def test_what_was_lost_is_told_where_it_is_not_red() -> None:
    world = World(Stack.IPV6)
    lose(world, 0.01, seed=1)

    judgement = run_check(world, "ADDR-17", V6)

    assert "datagrams lost on 3 paths, most (1." in judgement.reason


def test_the_limit_lies_between_one_and_three_in_a_hundred_for_any_count() -> None:
    assert allowed(3000) == 54
    assert all(0.01 * count < allowed(count) for count in range(300, 3001, 100))
