"""The nodes' firewall lets no ICMPv6 destination-unreachable in: what is closed looks dead."""

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
  type filter hook forward priority filter;
  iifname eth0 oifname cni0 ip6 saddr 2001:db8::/32 icmpv6 type destination-unreachable drop
"""


@contextmanager
def errors_dropped(cluster: Cluster) -> Iterator[None]:
    """Drop the ICMPv6 errors of hosts outside to pods."""
    with packet_filter(*nodes_of(cluster), chain=CHAIN):
        yield


FAULT = Fault(
    broken=errors_dropped,
    must=frozenset({"EGR-13"}),
    cause={"EGR-13": "drops ICMPv6 type 1"},
)


def test_egress_icmp_errors_dropped(
    ipv6_cluster: Cluster, ipv6_testbed: RealTestbed, tmp_path: Path
) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path, ipv6_testbed.option, *EXTERNAL_AREAS)
