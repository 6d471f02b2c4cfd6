"""A firewall lets IPv6 out of the pods of one node, and no IPv4."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import EXTERNAL_AREAS, Fault, expect_red
from tests.faults.makers import packet_filter
from tests.real import RealTestbed

pytestmark = pytest.mark.real_cluster
CHAIN = """
  type filter hook forward priority filter;
  iifname cni0 ip daddr 198.51.100.0/24 meta l4proto tcp drop
"""


@contextmanager
def ipv4_dropped(cluster: Cluster) -> Iterator[None]:
    """Drop IPv4 TCP of the worker's pods to targets outside."""
    with packet_filter(f"{cluster.name}-worker", chain=CHAIN, family="ip"):
        yield


FAULT = Fault(
    broken=ipv4_dropped,
    must=frozenset({"EGR-06", "EGR-07"}),
    cause={"EGR-06": "only one family has a way out of the pods"},
)


def test_egress_ipv4_dropped(
    dual_cluster: Cluster, dual_testbed: RealTestbed, tmp_path: Path
) -> None:
    expect_red(FAULT, dual_cluster, tmp_path, dual_testbed.option, *EXTERNAL_AREAS)
