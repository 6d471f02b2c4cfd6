"""The route from one node to another node's pods is gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.bundle import archive
from pytest_ipv6k8s.clusters import Cluster
from tests.faults.fault import Fault, prove
from tests.real import kubectl, on_node
from tests.unit.test_bundle import contents

pytestmark = pytest.mark.real_cluster
SECRETS = ("eyJ", "PRIVATE KEY", "LS0tLS1CRUdJTi")


@contextmanager
def route_gone(cluster: Cluster) -> Iterator[None]:
    """Remove the control plane's route to the worker's pods, with its keeper held still."""
    node, worker = f"{cluster.name}-control-plane", f"{cluster.name}-worker"
    cidr = kubectl(cluster, "get", "node", worker, "-o", "jsonpath={.spec.podCIDR}")
    route = on_node(node, f"ip -6 route show {cidr}").strip()
    on_node(node, f"pkill -STOP flanneld; ip -6 route del {cidr}")
    try:
        yield
    finally:
        on_node(node, f"ip -6 route replace {route}; pkill -CONT flanneld")


FAULT = Fault(
    broken=route_gone,
    must=frozenset({"ADDR-16", "ADDR-17"}),
    may=frozenset(
        {
            *("ADDR-05", "ADDR-20", "DNS-01", "DNS-02", "DNS-03", "DNS-04", "DNS-07", "DNS-08"),
            *("DNS-11", "DNS-14", "DNS-16", "NODE-01"),
            *("SVC-01", "SVC-02", "SVC-04", "SVC-06", "SVC-12", "SVC-13"),
        }
    ),
    cause={"ADDR-16": "the route to the other node's podCIDR is missing"},
)


def test_route_to_one_node_gone(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    prove(FAULT, ipv6_cluster, tmp_path, "--ipv6k8s-bundle=bundles")

    for bundle in (tmp_path / "bundles").iterdir():
        assert bundle.stat().st_size < archive.LARGEST_BUNDLE
        assert not [word for word in SECRETS if word in str(contents(bundle))]
    _shows_the_missing_route(contents(tmp_path / "bundles" / "ADDR-16-IPv6.tar.gz"), ipv6_cluster)


def _shows_the_missing_route(bundle: dict[str, str], cluster: Cluster) -> None:
    """The routes of both nodes stand in the bundle: of one to the other, but not back."""
    routes = {}
    for node in (f"{cluster.name}-control-plane", f"{cluster.name}-worker"):
        cidr = kubectl(cluster, "get", "node", node, "-o", "jsonpath={.spec.podCIDR}")
        (state,) = [
            text
            for name, text in bundle.items()
            if name.startswith("probes/host-") and f"on node {node}," in text
        ]
        routes[node] = (f"IPv6 {cidr} via ", state)
    (to_control_plane, of_control_plane), (to_worker, of_worker) = routes.values()
    assert to_worker not in of_control_plane
    assert to_control_plane in of_worker
    assert "ENETUNREACH" in bundle["asked-again.json"] or "ETIMEDOUT" in bundle["asked-again.json"]
