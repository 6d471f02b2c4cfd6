"""The NAT64 gateway drops TCP: its table of sessions is full, or its rules know UDP alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import EXTERNAL_AREAS, Fault, expect_red
from tests.faults.makers import packet_filter
from tests.real import RealTestbed

pytestmark = pytest.mark.real_cluster
CHAIN = """
  type filter hook prerouting priority mangle;
  ip6 daddr { 2001:db8:64::/96, 3fff::/20, 64:ff9b::/32 } meta l4proto tcp drop
"""


@contextmanager
def tcp_dropped(cluster: Cluster) -> Iterator[None]:
    """Drop TCP towards every prefix."""
    with packet_filter(f"{cluster.name}-testbed", chain=CHAIN):
        yield


FAULT = Fault(
    broken=tcp_dropped,
    must=frozenset({"N64-14"}),
    cause={"N64-14": "the gateway does not translate"},
)


def test_nat64_drops_tcp(ipv6_cluster: Cluster, ipv6_testbed: RealTestbed, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path, ipv6_testbed.option, *EXTERNAL_AREAS)
