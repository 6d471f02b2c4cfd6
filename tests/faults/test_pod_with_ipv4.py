"""Pods of an IPv6-only cluster have an IPv4 address: the CNI of one node still has an IPv4 pool."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.inside import changed_pods

pytestmark = pytest.mark.real_cluster
CHANGE = "ip addr add 10.88.0.5/16 dev eth0; ip route add default via 10.88.0.1"


@contextmanager
def ipv4_added(cluster: Cluster) -> Iterator[None]:
    """Give a node's first probe an IPv4 address and a route."""
    with changed_pods([f"{cluster.name}-worker"], "probe-0", CHANGE):
        yield


FAULT = Fault(
    broken=ipv4_added,
    must=frozenset({"ADDR-03", "ADDR-06", "EGR-08"}),
    cause={"ADDR-06": "the CNI still has an IPv4 pool"},
)


def test_pod_with_ipv4(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
