"""A node forwards no ICMPv6 errors of pods: a firewall knows no related packets."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import errors_dropped

pytestmark = pytest.mark.real_cluster


def dropped(cluster: Cluster, end: str) -> AbstractContextManager[None]:
    """Drop the ICMPv6 errors of pods that a node forwards."""
    return errors_dropped(f"{cluster.name}-{end}", hook="forward", types="destination-unreachable")


def fault(end: str) -> Fault:
    """Return the fault of one node."""
    return Fault(
        broken=partial(dropped, end=end),
        must=frozenset({"MTU-10"}),
        cause={"MTU-10": "ICMPv6 errors are filtered on a node"},
    )


@pytest.mark.parametrize("end", ["control-plane", "worker"])
def test_icmp_errors_of_pods_dropped(ipv6_cluster: Cluster, tmp_path: Path, end: str) -> None:
    expect_red(fault(end), ipv6_cluster, tmp_path)
