"""External targets, and how a network of them crosses the border to workers."""

from __future__ import annotations

import json

from pytest_ipv6k8s.addresses import Egress, Family
from pytest_ipv6k8s.external.model import ExternalNetwork, Role, Target
from pytest_ipv6k8s.plain import build, plain
from pytest_ipv6k8s.testbed import testbed

TESTBED = testbed.network_of(Egress.MASQUERADE)


def test_a_network_survives_the_way_to_a_worker() -> None:
    assert build(ExternalNetwork, json.loads(json.dumps(plain(TESTBED)))) == TESTBED


def test_an_ipv6_target_may_be_dual_or_not() -> None:
    only = Target(role=Role.V6, addresses=("2001:db8::1",), tcp=443)
    network = ExternalNetwork(source="declared", targets=(only,))

    assert network.ipv6_target_with("tcp") is only
    assert network.ipv6_target_with("udp") is None
    assert only.address(Family.V6) == "2001:db8::1"
    assert only.address(Family.V4) == ""
