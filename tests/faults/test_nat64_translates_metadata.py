"""The NAT64 gateway translates 169.254.169.254, where clouds keep their secrets."""

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
    type nat hook prerouting priority dstnat - 5;
    ip6 daddr 2001:db8:64::a9fe:a9fe dnat to 2001:db8:1::10
  }
}
"""


@contextmanager
def metadata_translated(cluster: Cluster) -> Iterator[None]:
    """Let somebody answer behind the prefix."""
    in_testbed(cluster, f"nft -f - <<'END'\n{RULES}\nEND")
    try:
        yield
    finally:
        in_testbed(cluster, "nft delete table ip6 ipv6k8s_fault")


FAULT = Fault(
    broken=metadata_translated,
    must=frozenset({"N64-31"}),
    cause={"N64-31": "metadata server"},
)


def test_metadata_translated(
    ipv6_cluster: Cluster, ipv6_testbed: RealTestbed, tmp_path: Path
) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path, ipv6_testbed.option, *EXTERNAL_AREAS)
