"""The NAT64 gateway drops UDP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import EXTERNAL_AREAS, Fault, expect_red
from tests.real import RealTestbed, in_testbed

pytestmark = pytest.mark.real_cluster
RULES = """
table ip6 ipv6k8s_fault {
  chain pre {
    type filter hook prerouting priority 0;
    ip6 daddr { 2001:db8:64::/96, 3fff::/20 } meta l4proto udp drop
  }
}
"""


@contextmanager
def udp_dropped(cluster: Cluster) -> Iterator[None]:
    """Drop UDP towards every prefix."""
    in_testbed(cluster, f"nft -f - <<'END'\n{RULES}\nEND")
    try:
        yield
    finally:
        in_testbed(cluster, "nft delete table ip6 ipv6k8s_fault")


FAULT = Fault(
    broken=udp_dropped,
    must=frozenset({"N64-15"}),
    cause={"N64-15": "drops UDP"},
)


def test_udp_dropped(ipv6_cluster: Cluster, ipv6_testbed: RealTestbed, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path, ipv6_testbed.option, *EXTERNAL_AREAS)
