"""Packets that leave the cluster are masqueraded to a link-local source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import EXTERNAL_AREAS, Fault, expect_red
from tests.real import RealTestbed, nodes_of, on_node

pytestmark = pytest.mark.real_cluster
RULES = """
table ip6 ipv6k8s_fault {
  chain post {
    type nat hook postrouting priority 90;
    ip6 daddr { 2001:db8::/32, 3fff::/20 } snat to fe80::bad
  }
}
"""


@contextmanager
def link_local_source(cluster: Cluster) -> Iterator[None]:
    """Translate to a link-local address before the CNI does."""
    for node in nodes_of(cluster):
        on_node(node, f"nft -f - <<'END'\n{RULES}\nEND")
    try:
        yield
    finally:
        for node in nodes_of(cluster):
            on_node(node, "nft delete table ip6 ipv6k8s_fault")


FAULT = Fault(
    broken=link_local_source,
    must=frozenset({"EGR-01"}),
    cause={"EGR-01": "to which nothing returns: link-local"},
)


def test_link_local_source(
    ipv6_cluster: Cluster, ipv6_testbed: RealTestbed, tmp_path: Path
) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path, ipv6_testbed.option, *EXTERNAL_AREAS)
