"""The NAT64 gateway drops fragments: large answers of IPv4-only hosts never arrive."""

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
  type filter hook prerouting priority -450;
  ip6 daddr { 2001:db8:64::/96, 3fff::/20 } exthdr frag exists drop
"""


@contextmanager
def fragments_dropped(cluster: Cluster) -> Iterator[None]:
    """Drop fragments towards every prefix before they are put together."""
    with packet_filter(f"{cluster.name}-testbed", chain=CHAIN):
        yield


FAULT = Fault(
    broken=fragments_dropped,
    must=frozenset({"N64-23"}),
    cause={"N64-23": "the translator drops fragments"},
)


def test_nat64_fragments_dropped(
    ipv6_cluster: Cluster, ipv6_testbed: RealTestbed, tmp_path: Path
) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path, ipv6_testbed.option, *EXTERNAL_AREAS)
