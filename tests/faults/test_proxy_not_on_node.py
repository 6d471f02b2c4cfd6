"""kube-proxy's DaemonSet passes a node by: a selector or a taint keeps it away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.real import kubectl

pytestmark = pytest.mark.real_cluster
WHICH = ("-n", "kube-system", "daemonset/kube-proxy")
PATH = "/spec/template/spec/affinity"
KEY = "kubernetes.io/hostname"


def _patch(cluster: Cluster, change: dict[str, Any]) -> None:
    kubectl(cluster, "patch", *WHICH, "--type=json", "-p", json.dumps([change]))
    kubectl(cluster, "rollout", "status", *WHICH, "--timeout=80s")


@contextmanager
def proxy_gone(cluster: Cluster) -> Iterator[None]:
    """Keep kube-proxy from the worker; its rules stay as they are."""
    rule = {"key": KEY, "operator": "NotIn", "values": [f"{cluster.name}-worker"]}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [rule]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    try:
        _patch(cluster, {"op": "add", "path": PATH, "value": affinity})
        yield
    finally:
        _patch(cluster, {"op": "remove", "path": PATH})


FAULT = Fault(
    broken=proxy_gone,
    must=frozenset({"SVC-01", "SVC-02", "SVC-04"}),
    cause={"SVC-01": "the Service proxy (kube-proxy or its replacement) is stopped"},
)


def test_proxy_not_on_node(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
