"""A node in a closed network has no IPv6 default route: its own processes reach no cluster IP.

The kernel looks for a route before the Service is translated (projectcalico/calico#3215).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import undone
from tests.real import on_node

pytestmark = pytest.mark.real_cluster


@contextmanager
def route_gone(cluster: Cluster, end: str) -> Iterator[None]:
    """Remove the default route of a node."""
    node = f"{cluster.name}-{end}"
    route = on_node(node, "ip -6 route show default").strip()
    with undone(node, "ip -6 route del default", f"ip -6 route replace {route}"):
        yield


def fault(end: str) -> Fault:
    """Return the fault of one node."""
    return Fault(
        broken=partial(route_gone, end=end),
        must=frozenset({"SVC-04"}),
        cause={"SVC-04": "the node has no route for this family"},
    )


@pytest.mark.parametrize("end", ["control-plane", "worker"])
def test_default_route_gone(ipv6_cluster: Cluster, tmp_path: Path, end: str) -> None:
    expect_red(fault(end), ipv6_cluster, tmp_path)
