"""The NAT64 gateway drops ICMPv6 echo requests, and nothing else."""

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
  ip6 daddr { 2001:db8:64::/96, 3fff::/20, 64:ff9b::/32 } icmpv6 type echo-request drop
"""


@contextmanager
def echo_dropped(cluster: Cluster) -> Iterator[None]:
    """Drop echo requests towards every prefix."""
    with packet_filter(f"{cluster.name}-testbed", chain=CHAIN):
        yield


FAULT = Fault(
    broken=echo_dropped,
    must=frozenset({"N64-16"}),
    cause={"N64-16": "does not translate ICMPv6 echo"},
)


def test_nat64_drops_echo(ipv6_cluster: Cluster, ipv6_testbed: RealTestbed, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path, ipv6_testbed.option, *EXTERNAL_AREAS)
