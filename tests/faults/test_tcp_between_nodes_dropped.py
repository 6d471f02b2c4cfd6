"""TCP between nodes is dropped, as a tunnel's wrong checksums make it; UDP passes."""

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
  type filter hook forward priority filter;
  iifname eth0 ip6 saddr fd00:10:244::/56 ip6 daddr fd00:10:244::/56 meta l4proto tcp drop
"""


@contextmanager
def tcp_dropped(cluster: Cluster, end: str) -> Iterator[None]:
    """Drop TCP of pods that comes to a node from other nodes."""
    with packet_filter(f"{cluster.name}-{end}", chain=CHAIN):
        yield


def fault(end: str) -> Fault:
    """Return the fault of one node."""
    return Fault(
        broken=partial(tcp_dropped, end=end),
        must=frozenset({"ADDR-16"}),
        cause={"ADDR-16": "firewall"},
    )


@pytest.mark.parametrize("end", ["control-plane", "worker"])
def test_tcp_between_nodes_dropped(ipv6_cluster: Cluster, tmp_path: Path, end: str) -> None:
    expect_red(fault(end), ipv6_cluster, tmp_path)
