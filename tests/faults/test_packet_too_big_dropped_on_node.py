"""A node's firewall lets no ICMPv6 packet-too-big in, as one that was made for IPv4."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import EXTERNAL_AREAS, Fault, expect_red
from tests.faults.makers import packet_filter
from tests.real import RealTestbed, nodes_of

pytestmark = pytest.mark.real_cluster
CHAIN = """
  type filter hook prerouting priority mangle;
  iifname eth0 icmpv6 type packet-too-big drop
"""


@contextmanager
def packet_too_big_dropped(cluster: Cluster) -> Iterator[None]:
    """Drop what routers outside tell the nodes of their MTU."""
    with packet_filter(*nodes_of(cluster), chain=CHAIN):
        yield


FAULT = Fault(
    broken=packet_too_big_dropped,
    must=frozenset({"MTU-07", "MTU-08", "MTU-12", "N64-22"}),
    cause={"MTU-07": "packet-too-big is dropped on its way to the pod"},
)


def test_packet_too_big_dropped_on_node(
    ipv6_cluster: Cluster, ipv6_testbed: RealTestbed, tmp_path: Path
) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path, ipv6_testbed.option, *EXTERNAL_AREAS)
