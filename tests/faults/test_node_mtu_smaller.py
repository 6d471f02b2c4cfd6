"""A node's link carries less than its pods believe: the CNI did not see its MTU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import undone

pytestmark = pytest.mark.real_cluster


@contextmanager
def smaller_mtu(cluster: Cluster, end: str) -> Iterator[None]:
    """Make eth0 of a node narrower; pods keep 1500 bytes."""
    with undone(f"{cluster.name}-{end}", "ip link set eth0 mtu 1400", "ip link set eth0 mtu 1500"):
        yield


def fault(end: str) -> Fault:
    """Return the fault of one node."""
    return Fault(
        broken=partial(smaller_mtu, end=end),
        must=frozenset({"MTU-02", "MTU-04"}),
        may={"MTU-03": "its segments are larger than the link"},
        cause={"MTU-02": "the CNI's MTU is larger than what the nodes' network carries"},
    )


@pytest.mark.parametrize("end", ["control-plane", "worker"])
def test_node_mtu_smaller(ipv6_cluster: Cluster, tmp_path: Path, end: str) -> None:
    expect_red(fault(end), ipv6_cluster, tmp_path, "-k", "MTU-")
