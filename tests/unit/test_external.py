"""What a world provides, and how it crosses the border to workers."""

from __future__ import annotations

import dataclasses
import json

import pytest

from pytest_ipv6k8s.addresses import Egress, Family
from pytest_ipv6k8s.external.model import OUTSIDE_NEEDS, ExternalNetwork, Role, Target, provides
from pytest_ipv6k8s.features import Feature
from pytest_ipv6k8s.testbed import testbed

NEEDS = sorted(OUTSIDE_NEEDS, key=lambda need: need.name)
WORLD = testbed.network_of(Egress.MASQUERADE)


def test_a_world_survives_the_way_to_a_worker() -> None:
    assert ExternalNetwork.from_plain(json.loads(json.dumps(WORLD.plain()))) == WORLD


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: str(need.name))
def test_an_empty_world_provides_nothing(need: Feature) -> None:
    assert not provides(ExternalNetwork(source="declared"), need)


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: str(need.name))
def test_a_testbed_provides_all_but_a_clat(need: Feature) -> None:
    wanted = need not in (Feature.CLAT, Feature.NATIVE_EGRESS)

    assert provides(WORLD, need) is wanted


def test_no_egress_is_no_egress_to_be_checked() -> None:
    assert not provides(dataclasses.replace(WORLD, egress=Egress.NONE), Feature.EGRESS)


def test_an_ipv6_target_may_be_dual_or_not() -> None:
    only = Target(role=Role.V6, addresses=("2001:db8::1",), tcp=443)
    world = ExternalNetwork(source="declared", targets=(only,))

    assert world.ipv6_target is only
    assert only.address(Family.V6) == "2001:db8::1"
    assert only.address(Family.V4) == ""
