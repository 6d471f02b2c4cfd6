"""Pods of one node have no IPv6 default route: the CNI sets one for IPv4 alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.inside import changed_pods

pytestmark = pytest.mark.real_cluster
CHANGE = "ip -6 route del default"


@contextmanager
def route_gone(cluster: Cluster) -> Iterator[None]:
    """Remove the default route of a node's first probe."""
    with changed_pods([f"{cluster.name}-worker"], "probe-0", CHANGE):
        yield


FAULT = Fault(
    broken=route_gone,
    must=frozenset({"ADDR-03", "ADDR-05", "ADDR-22"}),
    cause={"ADDR-05": "the CNI sets no IPv6 default route"},
)


def test_pod_without_default_route(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
