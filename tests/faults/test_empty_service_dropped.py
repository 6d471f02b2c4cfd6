"""On one node connections to a Service without endpoints are dropped instead of refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import packet_filter

pytestmark = pytest.mark.real_cluster
CHAIN = """
  type filter hook forward priority filter - 5;
  ip6 daddr fd00:10:96::/112 drop
"""


@contextmanager
def dropped(cluster: Cluster, end: str) -> Iterator[None]:
    """Drop what still has a cluster IP when a node forwards it: nobody translated it."""
    with packet_filter(f"{cluster.name}-{end}", chain=CHAIN):
        yield


def fault(end: str) -> Fault:
    """Return the fault of one node."""
    return Fault(
        broken=partial(dropped, end=end),
        must=frozenset({"SVC-13"}),
        cause={"SVC-13": "the proxy drops instead of rejecting"},
    )


@pytest.mark.parametrize("end", ["control-plane", "worker"])
def test_empty_service_dropped(ipv6_cluster: Cluster, tmp_path: Path, end: str) -> None:
    expect_red(fault(end), ipv6_cluster, tmp_path)
