"""ICMPv6 packet-too-big is dropped at the 1280-byte hop."""

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
  chain out {
    type filter hook output priority 0;
    icmpv6 type packet-too-big drop
  }
}
"""


@contextmanager
def packet_too_big_dropped(cluster: Cluster) -> Iterator[None]:
    """Drop the router's own ICMPv6 type 2."""
    in_testbed(cluster, f"nft -f - <<'END'\n{RULES}\nEND")
    try:
        yield
    finally:
        in_testbed(cluster, "nft delete table ip6 ipv6k8s_fault")


FAULT = Fault(
    broken=packet_too_big_dropped,
    must=frozenset({"MTU-07", "MTU-12"}),
    may={"MTU-08": "answers of a Service die at the same hop"},
    cause={"MTU-07": "packet-too-big is dropped"},
)


def test_packet_too_big_dropped(
    ipv6_cluster: Cluster, ipv6_testbed: RealTestbed, tmp_path: Path
) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path, ipv6_testbed.option, *EXTERNAL_AREAS)
