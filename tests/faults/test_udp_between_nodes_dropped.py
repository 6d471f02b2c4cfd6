"""A security group lets no UDP between pods of different nodes: only TCP was opened for IPv6."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import packet_filter

pytestmark = pytest.mark.real_cluster
CHAIN = """
  type filter hook forward priority filter;
  iifname eth0 oifname cni0 meta l4proto udp drop
  iifname cni0 oifname eth0 meta l4proto udp drop
"""


@contextmanager
def udp_dropped(cluster: Cluster) -> Iterator[None]:
    """Drop what the worker forwards between its pods and other nodes."""
    with packet_filter(f"{cluster.name}-worker", chain=CHAIN):
        yield


FAULT = Fault(
    broken=udp_dropped,
    must=frozenset({"ADDR-17", "DNS-01", "MTU-04", "MTU-05", "MTU-10", "SVC-02"}),
    cause={"ADDR-17": "a packet filter"},
)


def test_udp_between_nodes_dropped(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
