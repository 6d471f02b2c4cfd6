"""A node's firewall lets none of its ICMPv6 errors out: they were taken for a risk."""

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
    """Drop the ICMPv6 errors that a node itself sends."""
    return errors_dropped(
        f"{cluster.name}-{end}", hook="output", types="destination-unreachable, time-exceeded"
    )


def fault(end: str) -> Fault:
    """Return the fault of one node."""
    return Fault(
        broken=partial(dropped, end=end),
        must=frozenset({"MTU-11", "SVC-13"}),
        cause={
            "MTU-11": "ICMPv6 errors are filtered on a node",
            "SVC-13": "ICMPv6 type 1 is filtered",
        },
    )


@pytest.mark.parametrize("end", ["control-plane", "worker"])
def test_icmp_errors_of_node_dropped(ipv6_cluster: Cluster, tmp_path: Path, end: str) -> None:
    expect_red(fault(end), ipv6_cluster, tmp_path)
