"""On one node the packet filter drops IPv6 fragments before they are put together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import packet_filter

pytestmark = pytest.mark.real_cluster
# Before the kernel puts them together for connection tracking (priority -400).
CHAIN = """
  type filter hook prerouting priority -450;
  exthdr frag exists drop
"""


@contextmanager
def fragments_dropped(cluster: Cluster) -> Iterator[None]:
    """Drop the fragments that come to the worker, or from its pods."""
    with packet_filter(f"{cluster.name}-worker", chain=CHAIN):
        yield


FAULT = Fault(
    broken=fragments_dropped,
    must=frozenset({"MTU-05", "MTU-06", "MTU-19"}),
    cause={"MTU-05": "drops IPv6 fragments"},
)


def test_fragments_dropped_on_one_node(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
