"""One node has lost its Service rules, and its proxy does not notice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.real import on_node

pytestmark = pytest.mark.real_cluster
CHAINS = "for table in nat filter; do ip6tables -t $table -F KUBE-SERVICES; done"


@contextmanager
def rules_gone(cluster: Cluster) -> Iterator[None]:
    """Hold kube-proxy on the worker still and empty its chains; it fills them again afterwards."""
    worker = f"{cluster.name}-worker"
    saved = on_node(worker, "ip6tables-save")
    on_node(worker, f"pkill -STOP kube-proxy; {CHAINS}")
    try:
        yield
    finally:
        on_node(worker, f"ip6tables-restore <<'END'\n{saved}\nEND\npkill -CONT kube-proxy")


FAULT = Fault(
    broken=rules_gone,
    must=frozenset({"SVC-01", "SVC-02", "SVC-04", "SVC-13", "DNS-01", "DNS-02", "NODE-01"}),
    cause={"SVC-01": "the Service proxy", "DNS-01": "the Service proxy has no rules"},
)


def test_service_rules_of_one_node_gone(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
