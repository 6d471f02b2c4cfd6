"""A firewall drops what a node itself sends to pods elsewhere; between pods all passes.

The one endpoint that nodes ask is on the first node, so it is broken on the other.
"""

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
  type filter hook output priority filter;
  ip6 daddr fd00:10:244::/56 oifname eth0 drop
"""


@contextmanager
def dropped(cluster: Cluster) -> Iterator[None]:
    """Drop what the worker itself sends to pods of other nodes."""
    with packet_filter(f"{cluster.name}-worker", chain=CHAIN):
        yield


FAULT = Fault(
    broken=dropped,
    must=frozenset({"SVC-04"}),
    cause={"SVC-04": "the endpoint itself does not answer that node"},
)


def test_node_to_pods_dropped(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
