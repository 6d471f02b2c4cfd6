"""Pods of one node take all pods for neighbours: the prefix of their addresses is too short."""

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
ip -6 route add fd00:10:244::/56 dev eth0
"""


@contextmanager
def prefix_too_wide(cluster: Cluster) -> Iterator[None]:
    """Give a node's first probe a route to all pods without a gateway."""
    with changed_pods([f"{cluster.name}-worker"], "probe-0", CHANGE):
        yield


FAULT = Fault(
    broken=prefix_too_wide,
    must=frozenset({"ADDR-16"}),
    cause={"ADDR-16": "a pod's own network"},
)


def test_pod_prefix_too_wide(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
