"""Port 53 is open for UDP only: a firewall or a policy forgot TCP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import packet_filter
from tests.real import nodes_of

pytestmark = pytest.mark.real_cluster
CHAIN = """
  type filter hook prerouting priority mangle;
  iifname cni0 tcp dport 53 drop
"""


@contextmanager
def tcp_dropped(cluster: Cluster) -> Iterator[None]:
    """Drop what pods of both nodes send to port 53 over TCP."""
    with packet_filter(*nodes_of(cluster), chain=CHAIN):
        yield


FAULT = Fault(
    broken=tcp_dropped,
    must=frozenset({"DNS-02"}),
    cause={"DNS-02": "opens port 53 for UDP only"},
)


def test_dns_over_tcp_dropped(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
