"""A check needs of external targets what it declares, and nothing more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from pytest_ipv6k8s import catalogue
from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.external import rules
from pytest_ipv6k8s.external.model import ExternalNetwork, Target
from pytest_ipv6k8s.features import Feature, OfTargets
from pytest_ipv6k8s.verdicts import Verdict
from tests.checks.test_healthy_world import CASES
from tests.checks.world import World, run_check

T = TypeVar("T")
OF_TARGETS: dict[str, Any] = {
    **{name: 0 for name in ("tcp", "udp", "http")},
    **{"name": "", "identifies": False, "ping": False, "ask": ()},
}
OF_NAT64: dict[str, Any] = {
    **{"pool": (), "well_known_prefix": None, "local_use": False, "private_host": ""},
}
OF_NETWORK: dict[str, Any] = {
    **{"egress": None, "nat64": None, "dns64": False, "zone": "", "proxy": "", "registry": ""},
}


def _without(thing: T, blanks: dict[str, Any]) -> Iterator[T]:
    """Yield copies, in each of which one attribute is blank."""
    for name, blank in blanks.items():
        changed: dict[str, Any] = {name: blank}
        yield replace(thing, **changed)  # type: ignore[type-var]


def _less(network: ExternalNetwork) -> Iterator[ExternalNetwork]:
    """Yield what is left of a declaration when one thing is taken out of it."""
    for number, target in enumerate(network.targets):
        before, after = network.targets[:number], network.targets[number + 1 :]
        yield replace(network, targets=(*before, *after))
        for smaller in _less_of(target):
            yield replace(network, targets=(*before, smaller, *after))
    yield from _without(network, OF_NETWORK)
    if nat64 := network.nat64:
        yield replace(network, nat64=replace(nat64, prefixes=nat64.prefixes[:1]))
        for less in _without(nat64, OF_NAT64):
            yield replace(network, nat64=less)


def _less_of(target: Target) -> Iterator[Target]:
    yield from _without(target, OF_TARGETS)
    for address in target.addresses if len(target.addresses) > 1 else ():
        yield replace(target, addresses=tuple(a for a in target.addresses if a != address))


def _least(world: World, id: str) -> ExternalNetwork:
    """Return the smallest declaration with which a check is not skipped."""
    declared = catalogue.checks()[id].features
    wanted = [f.value.predicate for f in declared if isinstance(f.value, OfTargets)]
    network = replace(world.outside, clat=Feature.CLAT in declared, source="declared")

    def will_do(smaller: ExternalNetwork) -> bool:
        met = all(predicate(smaller) for predicate in wanted)
        return smaller != network and met and not any(rules.problems(smaller))

    while smaller := next(filter(will_do, _less(network)), None):
        network = smaller
    return network


def _uses_targets(id: str) -> bool:
    used = catalogue.functions()[id].__code__.co_varnames
    return "external" in used


@pytest.mark.parametrize(
    ("id", "stack", "family"), [case for case in CASES if _uses_targets(case[0])]
)
def test_the_least_declaration_that_does_not_skip_a_check_is_enough_for_it(
    id: str, stack: Stack, family: Family | None
) -> None:
    world = World(stack)
    world.outside = _least(world, id)

    judgement = run_check(world, id, family)

    assert judgement.verdict in (Verdict.PASS, Verdict.INFORMATIONAL), (judgement, world.outside)
    assert "not measured" not in judgement.reason
    assert "there is no target" not in judgement.reason
