"""One node loses one in ten DNS queries: the second of two from one port finds no entry."""

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
  iifname cni0 udp dport 53 numgen random mod 10 == 0 drop
"""


@contextmanager
def queries_lost(cluster: Cluster, end: str) -> Iterator[None]:
    """Drop some of what pods of a node send to port 53."""
    with packet_filter(f"{cluster.name}-{end}", chain=CHAIN):
        yield


def fault(end: str) -> Fault:
    """Return the fault of one node."""
    return Fault(
        broken=partial(queries_lost, end=end),
        must=frozenset({"DNS-17"}),
        may={"DNS-16": "a lost query may be one of its few"},
        cause={"DNS-17": "two queries from one port race"},
    )


@pytest.mark.parametrize("end", ["control-plane", "worker"])
def test_dns_queries_lost(ipv6_cluster: Cluster, tmp_path: Path, end: str) -> None:
    expect_red(fault(end), ipv6_cluster, tmp_path)
