"""A firewall of a node closes its node ports in one family."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import packet_filter

pytestmark = pytest.mark.real_cluster
# Before the Service proxy translates, and new flows alone: answers may come to the same ports.
CHAIN = """
  type filter hook prerouting priority mangle;
  ct state new meta l4proto { tcp, udp } th dport 30000-32767 drop
"""


@contextmanager
def node_ports_closed(cluster: Cluster) -> Iterator[None]:
    """Drop what comes to the worker's node ports over IPv6, as a host firewall does."""
    with packet_filter(f"{cluster.name}-worker", chain=CHAIN):
        yield


FAULT = Fault(
    broken=node_ports_closed,
    must=frozenset({"LB-01"}),
    cause={"LB-01": "a firewall or security group closes the node ports"},
)


def test_node_ports_of_one_node_closed(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
