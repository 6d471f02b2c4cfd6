"""Pods of one node have no ::1: the CNI leaves IPv6 of their loopback interface off."""

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
sysctl -q -w net.ipv6.conf.lo.disable_ipv6=1
"""


@contextmanager
def loopback_off(cluster: Cluster) -> Iterator[None]:
    """Switch IPv6 off on the loopback interface of a node's first probe."""
    with changed_pods([f"{cluster.name}-worker"], "probe-0", CHANGE):
        yield


FAULT = Fault(
    broken=loopback_off,
    must=frozenset({"ADDR-13"}),
    cause={"ADDR-13": "net.ipv6.conf.lo.disable_ipv6 is 1"},
)


def test_loopback_without_ipv6(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
