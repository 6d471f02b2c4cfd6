"""Traffic between pods is masqueraded: the server sees a node in place of the client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.real import nodes_of, on_node

pytestmark = pytest.mark.real_cluster
POD_RANGE = "fd00:10:244::/56"
RULES = f"""
table ip6 ipv6k8s_fault {{
  chain post {{
    type nat hook postrouting priority 90;
    ip6 saddr {POD_RANGE} ip6 daddr {POD_RANGE} masquerade
  }}
}}
"""


@contextmanager
def masqueraded(cluster: Cluster) -> Iterator[None]:
    """Masquerade in a table of our own on both nodes."""
    nodes = nodes_of(cluster)
    for node in nodes:
        on_node(node, f"nft -f - <<'END'\n{RULES}\nEND")
    try:
        yield
    finally:
        for node in nodes:
            on_node(node, "nft delete table ip6 ipv6k8s_fault")


FAULT = Fault(
    broken=masqueraded,
    must=frozenset({"ADDR-20", "EGR-05", "SVC-12"}),
    cause={"ADDR-20": "masquerades traffic between pods"},
)


def test_pod_traffic_masqueraded(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
