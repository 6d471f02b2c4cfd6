"""Clusters that are refused for the families that they have."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.errors import ClusterError
from pytest_ipv6k8s.kube.inventory import Inventory
from pytest_ipv6k8s.plugin.stacks import refuse_another, refuse_without_ipv6
from tests.unit.test_declaration import FACTS

IPV4 = replace(FACTS, stack=Stack.IPV4).with_pods([["10.1.0.1"], ["10.1.1.1"]])


def test_a_cluster_without_ipv6_is_refused_unless_it_is_declared_to_be_one() -> None:
    with pytest.raises(ClusterError, match=r"neither pods nor Services .*have IPv6.*stack ipv4"):
        refuse_without_ipv6(IPV4, None)

    refuse_without_ipv6(IPV4, Stack.IPV4)


@pytest.mark.parametrize(
    "facts",
    [IPV4.with_pods([["10.1.0.1"], ["10.1.1.1", "fd00::1"]]), replace(IPV4, stack=Stack.DUAL)],
    ids=["pods", "Services"],
)
def test_ipv6_of_pods_or_of_services_is_enough_to_be_tested(facts: Inventory) -> None:
    refuse_without_ipv6(facts, None)


def test_a_cluster_that_is_another_than_declared_is_refused() -> None:
    with pytest.raises(ClusterError, match="declared to be dual, and it is ipv4"):
        refuse_another(IPV4, Stack.DUAL)
