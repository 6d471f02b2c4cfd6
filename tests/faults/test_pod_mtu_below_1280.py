"""Pods of one node have an MTU below 1280, and the kernel takes IPv6 from them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.inside import changed_pods

pytestmark = pytest.mark.real_cluster
CHANGE = "ip link set dev eth0 mtu 1200"


@contextmanager
def mtu_below_1280(cluster: Cluster) -> Iterator[None]:
    """Lower the MTU of a node's first probe."""
    with changed_pods([f"{cluster.name}-worker"], "probe-0", CHANGE):
        yield


FAULT = Fault(
    broken=mtu_below_1280,
    must=frozenset({"ADDR-26", "MTU-01"}),
    may={"MTU-04": "over IPv4 it gets datagrams that are larger than its link"},
    cause={"MTU-01": "the CNI's MTU is below 1280"},
)


def test_pod_mtu_below_1280(dual_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, dual_cluster, tmp_path)
