"""kube-proxy is stopped on one node before a Service is made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.real import on_node

pytestmark = pytest.mark.real_cluster


@contextmanager
def proxy_stopped(cluster: Cluster) -> Iterator[None]:
    """Hold kube-proxy on the worker still: old Services go on, new ones are unknown there."""
    worker = f"{cluster.name}-worker"
    on_node(worker, "pkill -STOP kube-proxy")
    try:
        yield
    finally:
        on_node(worker, "pkill -CONT kube-proxy")


FAULT = Fault(
    broken=proxy_stopped,
    must=frozenset({"SVC-01", "SVC-02", "SVC-04", "SVC-13"}),
    cause={"SVC-01": "the Service proxy (kube-proxy or its replacement) is stopped"},
)


def test_proxy_stopped_on_one_node(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
