"""A node clamps the MSS in SYNs to a fixed value made for IPv4, less than IPv6 ever needs."""

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
  type filter hook forward priority mangle;
  iifname cni0 oifname eth0 tcp flags & (syn | rst) == syn tcp option maxseg size set 1000
"""


@contextmanager
def mss_clamped(cluster: Cluster, end: str) -> Iterator[None]:
    """Write a small MSS into the SYNs of a node's pods to other nodes."""
    with packet_filter(f"{cluster.name}-{end}", chain=CHAIN):
        yield


def fault(end: str) -> Fault:
    """Return the fault of one node."""
    return Fault(
        broken=partial(mss_clamped, end=end),
        must=frozenset({"MTU-14"}),
        cause={"MTU-14": "writes an MSS into SYNs"},
    )


@pytest.mark.parametrize("end", ["control-plane", "worker"])
def test_mss_clamped_too_low(ipv6_cluster: Cluster, tmp_path: Path, end: str) -> None:
    expect_red(fault(end), ipv6_cluster, tmp_path)
