"""On one node of three the bridge carries nothing from pod to pod."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import EACH_NODE, Fault, expect_red
from tests.real import on_node

pytestmark = pytest.mark.real_cluster
CUT = (
    "nft 'table bridge ipv6k8s_fault { chain forward {"
    " type filter hook forward priority filter; policy drop; }; }'"
)


@contextmanager
def bridge_broken(cluster: Cluster, node: str) -> Iterator[None]:
    """Drop what one port of the bridge sends to another; what is routed goes on."""
    on_node(f"{cluster.name}-{node}", CUT)
    try:
        yield
    finally:
        on_node(f"{cluster.name}-{node}", "nft delete table bridge ipv6k8s_fault")


# A Service that leads to its own node is routed there, and answered over the bridge; DNS is one.


@pytest.mark.parametrize("node", EACH_NODE)
def test_one_bridge_broken(three_nodes: Cluster, tmp_path: Path, node: str) -> None:
    fault = Fault(
        broken=partial(bridge_broken, node=node),
        must=frozenset({"ADDR-15", "ADDR-17", "ADDR-34"}),
        cause={"ADDR-15": "do not forward between two pods"},
        node=node,
    )
    expect_red(fault, three_nodes, tmp_path, "-k", "ADDR- or SVC- or NODE- or EGR-")
