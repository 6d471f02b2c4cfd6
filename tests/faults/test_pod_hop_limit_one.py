"""Packets of one node's pods have a hop limit of one, as a hardened image sets it."""

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
for each in all default eth0; do sysctl -q -w net.ipv6.conf.$each.hop_limit=1; done
"""


@contextmanager
def hop_limit_one(cluster: Cluster) -> Iterator[None]:
    """Lower the hop limit of a node's first probe."""
    with changed_pods([f"{cluster.name}-worker"], "probe-0", CHANGE):
        yield


FAULT = Fault(
    broken=hop_limit_one,
    must=frozenset({"ADDR-16"}),
    cause={"ADDR-16": "a pod's own network"},
)


def test_pod_hop_limit_one(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
