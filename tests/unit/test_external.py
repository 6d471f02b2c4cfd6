"""What external targets provide, and how they cross the border to workers."""

from __future__ import annotations

import dataclasses
import json

import pytest

from pytest_ipv6k8s.addresses import Egress, Family
from pytest_ipv6k8s.external.model import (
    EXTERNAL_FEATURES,
    ExternalNetwork,
    Role,
    Target,
    provides,
)
from pytest_ipv6k8s.features import Feature
from pytest_ipv6k8s.testbed import testbed

FEATURES = sorted(EXTERNAL_FEATURES, key=lambda feature: feature.name)
TESTBED = testbed.network_of(Egress.MASQUERADE)


def test_a_network_survives_the_way_to_a_worker() -> None:
    assert ExternalNetwork.from_plain(json.loads(json.dumps(TESTBED.plain()))) == TESTBED


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: str(feature.name))
def test_an_empty_network_provides_nothing(feature: Feature) -> None:
    assert not provides(ExternalNetwork(source="declared"), feature)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: str(feature.name))
def test_a_testbed_provides_all_but_a_clat(feature: Feature) -> None:
    wanted = feature not in (Feature.CLAT, Feature.NATIVE_EGRESS)

    assert provides(TESTBED, feature) is wanted


def test_no_egress_is_no_egress_to_be_checked() -> None:
    assert not provides(dataclasses.replace(TESTBED, egress=Egress.NONE), Feature.EGRESS)


def test_an_ipv6_target_may_be_dual_or_not() -> None:
    only = Target(role=Role.V6, addresses=("2001:db8::1",), tcp=443)
    network = ExternalNetwork(source="declared", targets=(only,))

    assert network.ipv6_target is only
    assert only.address(Family.V6) == "2001:db8::1"
    assert only.address(Family.V4) == ""
