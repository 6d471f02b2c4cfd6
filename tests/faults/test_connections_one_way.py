"""A stateful firewall between two nodes lets pods of one of them open connections alone."""

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
  iifname cni0 oifname eth0 ip6 daddr fd00:10:244::/56 tcp flags syn / syn,ack drop
"""


@contextmanager
def one_way(cluster: Cluster) -> Iterator[None]:
    """Drop the SYNs of the worker's pods to pods of other nodes."""
    with packet_filter(f"{cluster.name}-worker", chain=CHAIN):
        yield


FAULT = Fault(
    broken=one_way,
    must=frozenset({"ADDR-16", "DNS-02"}),
    cause={"ADDR-16": "security group, firewall"},
)


def test_connections_one_way(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
