"""The route from one node to another node's pods is gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.real import kubectl, nodes_of, on_node

pytestmark = pytest.mark.real_cluster


@contextmanager
def route_gone(cluster: Cluster) -> Iterator[None]:
    """Remove the control plane's route to the worker's pods, with its keeper held still."""
    node, worker = nodes_of(cluster)
    cidr = kubectl(cluster, "get", "node", worker, "-o", "jsonpath={.spec.podCIDR}")
    route = on_node(node, f"ip -6 route show {cidr}").strip()
    on_node(node, f"pkill -STOP flanneld; ip -6 route del {cidr}")
    try:
        yield
    finally:
        on_node(node, f"ip -6 route replace {route}; pkill -CONT flanneld")


FAULT = Fault(
    broken=route_gone,
    must=frozenset({"ADDR-16", "ADDR-17", "ADDR-34"}),
    cause={"ADDR-16": "the route to the other node's podCIDR is missing"},
)


def test_route_to_one_node_gone(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
