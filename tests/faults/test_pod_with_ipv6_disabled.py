"""Pods of one node start with disable_ipv6: a runtime's default, which the CNI does not reset."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.inside import changed_pods

pytestmark = pytest.mark.real_cluster
CHANGE = "sysctl -q -w net.ipv6.conf.eth0.disable_ipv6=1"


@contextmanager
def ipv6_disabled(cluster: Cluster) -> Iterator[None]:
    """Switch IPv6 off in a node's first probe."""
    with changed_pods([f"{cluster.name}-worker"], "probe-0", CHANGE):
        yield


FAULT = Fault(
    broken=ipv6_disabled,
    must=frozenset({"ADDR-03", "ADDR-05", "ADDR-15", "ADDR-22", "ADDR-26"}),
    cause={"ADDR-26": "disable_ipv6"},
)


def test_pod_with_ipv6_disabled(dual_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, dual_cluster, tmp_path)
