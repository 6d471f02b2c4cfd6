"""One node has no rules for Services over UDP: the proxy lost a protocol."""

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
  type filter hook prerouting priority mangle;
  ip6 daddr fd00:10:96::/112 meta l4proto udp drop
"""


@contextmanager
def udp_lost(cluster: Cluster, end: str) -> Iterator[None]:
    """Drop UDP to cluster IPs before the Service proxy translates it."""
    with packet_filter(f"{cluster.name}-{end}", chain=CHAIN):
        yield


def fault(end: str) -> Fault:
    """Return the fault of one node."""
    return Fault(
        broken=partial(udp_lost, end=end),
        must=frozenset({"DNS-01", "SVC-02"}),
        cause={"SVC-02": "the proxy's rules for this family were not loaded"},
    )


@pytest.mark.parametrize("end", ["control-plane", "worker"])
def test_service_udp_lost(ipv6_cluster: Cluster, tmp_path: Path, end: str) -> None:
    expect_red(fault(end), ipv6_cluster, tmp_path)
