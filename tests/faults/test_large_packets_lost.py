"""The path between pods of two nodes carries 1400 bytes, and what is larger is silently lost."""

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
  ip6 saddr fd00:10:244::/56 ip6 daddr fd00:10:244::/56 iifname eth0 meta length > 1400 drop
  ip6 saddr fd00:10:244::/56 ip6 daddr fd00:10:244::/56 oifname eth0 meta length > 1400 drop
"""


@contextmanager
def large_lost(cluster: Cluster) -> Iterator[None]:
    """Drop large packets between the worker's pods and those of the other node."""
    with packet_filter(f"{cluster.name}-worker", chain=CHAIN):
        yield


FAULT = Fault(
    broken=large_lost,
    must=frozenset({"MTU-03", "MTU-04", "MTU-05"}),
    cause={"MTU-03": "large packets are lost between the nodes"},
)


def test_large_packets_lost(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
