"""The nodes' firewall lets TCP of pods out alone: no QUIC, no NTP."""

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
  ip6 daddr 2001:db8:53::/48 accept
  iifname cni0 oifname eth0 ip6 daddr 2001:db8::/32 meta l4proto udp drop
"""


@contextmanager
def udp_dropped(cluster: Cluster) -> Iterator[None]:
    """Drop UDP of pods to hosts outside, but for the resolvers."""
    with packet_filter(*nodes_of(cluster), chain=CHAIN):
        yield


FAULT = Fault(
    broken=udp_dropped,
    must=frozenset({"EGR-02", "N64-15"}),
    cause={"EGR-02": "a packet filter passes TCP only"},
)


def test_egress_udp_dropped(
    ipv6_cluster: Cluster, ipv6_testbed: RealTestbed, tmp_path: Path
) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path, ipv6_testbed.option, *EXTERNAL_AREAS)
