"""A second translator behind the NAT64 gateway gives its packets another source."""

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
  type nat hook postrouting priority srcnat - 1;
  ip saddr 100.64.0.0/16 ip daddr 198.51.100.0/24 snat to 192.0.2.99
"""


@contextmanager
def translated_twice(cluster: Cluster) -> Iterator[None]:
    """Translate what leaves the gateway to an address outside of its pool."""
    with packet_filter(f"{cluster.name}-testbed", chain=CHAIN, family="ip"):
        yield


FAULT = Fault(
    broken=translated_twice,
    must=frozenset({"N64-17"}),
    cause={"N64-17": "translated twice"},
)


def test_nat64_translated_twice(
    ipv6_cluster: Cluster, ipv6_testbed: RealTestbed, tmp_path: Path
) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path, ipv6_testbed.option, *EXTERNAL_AREAS)
