"""Pods of one node get no DNS over UDP; TCP works."""

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
  iifname cni0 udp dport 53 drop
"""


@contextmanager
def udp_dropped(cluster: Cluster, end: str) -> Iterator[None]:
    """Drop what pods of a node send to port 53 over UDP."""
    with packet_filter(f"{cluster.name}-{end}", chain=CHAIN):
        yield


def fault(end: str) -> Fault:
    """Return the fault of one node."""
    return Fault(
        broken=partial(udp_dropped, end=end),
        must=frozenset({"DNS-01"}),
        cause={"DNS-01": "the Service proxy has no rules for the DNS Service"},
    )


@pytest.mark.parametrize("end", ["control-plane", "worker"])
def test_dns_over_udp_dropped(ipv6_cluster: Cluster, tmp_path: Path, end: str) -> None:
    expect_red(fault(end), ipv6_cluster, tmp_path)
