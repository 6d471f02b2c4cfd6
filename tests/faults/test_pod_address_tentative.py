"""Pods of one node start before duplicate address detection has ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.inside import changed_pods

pytestmark = pytest.mark.real_cluster
CHANGE = """
address=$(ip -6 -o addr show dev eth0 scope global | awk '{print $4}')
sysctl -q -w net.ipv6.conf.eth0.dad_transmits=4 net.ipv6.conf.eth0.accept_dad=1
route=$(ip -6 route show default)
ip -6 addr del $address dev eth0
ip -6 addr add $address dev eth0
ip -6 route replace $route
"""


@contextmanager
def tentative(cluster: Cluster) -> Iterator[None]:
    """Add the address of a node's first probe anew, with four solicitations."""
    with changed_pods([f"{cluster.name}-worker"], "probe-0", CHANGE):
        yield


FAULT = Fault(
    broken=tentative,
    must=frozenset({"ADDR-04"}),
    cause={"ADDR-04": "does not wait for it"},
)


def test_pod_address_tentative(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
