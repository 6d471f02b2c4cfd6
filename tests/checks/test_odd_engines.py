"""Policy engines that are off, slow or uneven: one check fails at most, and the others say why."""

from __future__ import annotations

import pytest

from pytest_ipv6k8s import catalogue
from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.checks import Level
from pytest_ipv6k8s.features import Feature
from pytest_ipv6k8s.verdicts import Verdict
from tests.checks.broken_pol import field, ignored
from tests.checks.world import World, run_check

V6 = Family.V6
JUDGING = sorted(
    id
    for id, check in catalogue.checks().items()
    if Feature.NETWORK_POLICY in check.features and check.level is not Level.INFORMATIONAL
)


@pytest.mark.parametrize("id", JUDGING)
def test_where_nothing_is_enforced_one_check_fails(id: str) -> None:
    check = catalogue.checks()[id]
    stack = Stack.IPV6 if Stack.IPV6 in check.stacks else Stack.DUAL
    world = World(stack)
    ignored(lambda packet: True)(world)

    judgement = run_check(world, id, V6 if check.families else None)

    if id == "POL-01":
        assert judgement.verdict is Verdict.FAIL, judgement.reason
    else:
        assert judgement.verdict is Verdict.INCONCLUSIVE, judgement.reason
        assert "shuts nothing (see POL-01)" in judgement.reason


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        ({Family.V4: 0.3, V6: 0.4}, "shut: IPv4 0.3 s, IPv6 0.4 s"),
        ({Family.V4: 0.3, V6: 2.5}, "shut: IPv4 0.3 s, IPv6 2.5 s"),
        ({Family.V4: 0.3, V6: 99.0}, "expected both families shut"),
    ],
)
def test_how_long_each_family_takes_is_told_and_never_red(
    seconds: dict[Family, float], said: str
) -> None:
    world = World(Stack.DUAL)
    field(flip_seconds=seconds)(world)

    judgement = run_check(world, "POL-15")

    assert judgement.verdict is Verdict.INFORMATIONAL
    assert said in judgement.reason
