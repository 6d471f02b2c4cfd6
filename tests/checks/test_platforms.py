"""No check blames a healthy cluster for the shape that its platform gives it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ipv6k8s import catalogue
from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.checks import FamiliesOf
from pytest_ipv6k8s.features import Feature, OfRun
from pytest_ipv6k8s.plugin.run_facts import RunFacts
from pytest_ipv6k8s.verdicts import Verdict
from tests.checks.facts import inventory
from tests.checks.platforms.clouds import CLOUDS
from tests.checks.platforms.distributions import DISTRIBUTIONS
from tests.checks.platforms.oddities import ODDITIES
from tests.checks.platforms.platform import Platform
from tests.checks.shape import plain
from tests.checks.world import NAMESPACE, World, run_check

PLATFORMS = (*CLOUDS, *DISTRIBUTIONS, *ODDITIES)
GREEN = (Verdict.PASS, Verdict.INFORMATIONAL)


def _facts(world: World) -> RunFacts:
    """Return what stands when the checks of a first run begin: no target was declared."""
    return RunFacts(
        run_id="abc",
        home=Path("home"),
        kubeconfig=Path("kubeconfig"),
        context="fake",
        server="https://fake",
        owned=False,
        stack=world.stack,
        inventory=inventory(world),
        namespace=NAMESPACE,
        pods=world.pods,
        hosts=world.hosts,
        peers=world.peers,
        left_out=world.shape.placed.left_out,
        services=tuple(world.services.values()),
        sctp=True,
        ping=True,
    )


def _items(facts: RunFacts) -> Iterator[tuple[str, Family | None]]:
    """Yield the checks that run, each with its families."""
    for id, declared in catalogue.checks().items():
        stack = facts.stack_of(declared.families_of)
        met = all(feature.is_met(facts) for feature in declared.features)
        if stack in declared.stacks and met:
            families = [family for family in declared.families if family in stack.families]
            yield from ((id, family) for family in families)
            if not families:
                yield id, None


def _reds(platform: Platform) -> dict[str, str]:
    """Return the items that are not green in a platform's world, with the reasons."""
    found, world = {}, platform.world()
    for id, family in _items(_facts(world)):
        if platform.areas and id.split("-")[0] not in platform.areas:
            continue
        judgement = run_check(world, id, family)
        left_out = id in platform.leaves_out and judgement.verdict is Verdict.NOT_APPLICABLE
        if judgement.verdict not in GREEN and not left_out:
            name = f"{id} {family.value if family else ''}".strip()
            found[name] = f"{judgement.verdict.value}: {judgement.reason}"
    return found


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform.name)
def test_every_check_is_green_that_runs_on_a_platform(platform: Platform) -> None:
    assert _reds(platform) == {}


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform.name)
def test_a_platform_lacks_the_features_that_it_says(platform: Platform) -> None:
    facts = _facts(platform.world())
    of_run = [feature for feature in Feature if isinstance(feature.value, OfRun)]

    assert {feature for feature in of_run if not feature.is_met(facts)} == set(platform.lacks)
    assert platform.sources
    assert platform.told


def test_the_page_of_platforms_names_each_with_its_sources() -> None:
    page = (Path(__file__).parents[2] / "docs" / "platforms.md").read_text("utf-8")

    for platform in PLATFORMS:
        assert f"| {platform.name} | {platform.told}" in page
        assert all(source.split(": ")[0] in page for source in platform.sources)


def test_a_pool_without_ipv6_is_named_and_silences_nobody() -> None:
    shape = replace(plain(Stack.DUAL), count=4, without_ipv6=frozenset({2}))
    pool = Platform(name="an IPv4-only pool", sources=(), told="", shape=shape)

    reds = _reds(pool)

    assert set(reds) == {"ADDR-01", "ADDR-09", "ADDR-10"}
    assert all("node-2" in reason for reason in reds.values())


def test_ipv6_of_pods_is_asked_beside_services_without() -> None:
    (calico,) = (p for p in PLATFORMS if "IPv4-only Services" in p.name)
    families_of = {
        catalogue.checks()[id].families_of
        for id, family in _items(_facts(calico.world()))
        if family is Family.V6
    }

    assert families_of == {FamiliesOf.PODS}
