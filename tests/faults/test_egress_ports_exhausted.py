"""The masquerade of a node has a hundred source ports: one client leaves none for the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import EXTERNAL_AREAS, Fault, expect_red
from tests.faults.makers import packet_filter
from tests.real import RealTestbed, nodes_of

pytestmark = pytest.mark.real_cluster
CHAIN = """
  type nat hook postrouting priority 90;
  ip6 saddr fd00:10:244::/56 ip6 daddr 2001:db8::/32 meta l4proto tcp masquerade to :20000-20099
"""


@contextmanager
def few_ports(cluster: Cluster) -> Iterator[None]:
    """Masquerade TCP towards the outside with few ports."""
    with packet_filter(*nodes_of(cluster), chain=CHAIN):
        yield


FAULT = Fault(
    broken=few_ports,
    must=frozenset({"EGR-09"}),
    may={
        "EGR-03": "its connection may find no port while EGR-09 holds them",
        "EGR-04": "its connection may find no port while EGR-09 holds them",
    },
    cause={"EGR-09": "too small a port range"},
)


def test_egress_ports_exhausted(
    ipv6_cluster: Cluster, ipv6_testbed: RealTestbed, tmp_path: Path
) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path, ipv6_testbed.option, *EXTERNAL_AREAS)
