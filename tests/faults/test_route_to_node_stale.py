"""A route to a node's pods leads to an address that is gone (flannel-io/flannel#1822)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import undone
from tests.real import kubectl, nodes_of, on_node

pytestmark = pytest.mark.real_cluster


@contextmanager
def stale_route(cluster: Cluster, end: str) -> Iterator[None]:
    """Lead a node's route to the other one's pods astray, with flanneld held still."""
    node = f"{cluster.name}-{end}"
    (other,) = {*nodes_of(cluster)} - {node}
    cidr = kubectl(cluster, "get", "node", other, "-o", "jsonpath={.spec.podCIDR}")
    route = on_node(node, f"ip -6 route show {cidr}").strip()
    stale = re.sub(r"via \S+::\S+", lambda found: found[0].rpartition("::")[0] + "::dead", route)
    heal = f"ip -6 route replace {route}; pkill -CONT flanneld"
    with undone(node, f"pkill -STOP flanneld; ip -6 route replace {stale}", heal):
        yield


def fault(end: str) -> Fault:
    """Return the fault of one node."""
    return Fault(
        broken=partial(stale_route, end=end),
        must=frozenset({"ADDR-16"}),
        cause={"ADDR-16": "the route to the other node's podCIDR"},
    )


@pytest.mark.parametrize("end", ["control-plane", "worker"])
def test_route_to_node_stale(ipv6_cluster: Cluster, tmp_path: Path, end: str) -> None:
    expect_red(fault(end), ipv6_cluster, tmp_path)
