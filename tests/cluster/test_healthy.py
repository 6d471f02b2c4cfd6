"""The suite on a healthy cluster: nothing red, every skip explained, nothing left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.real import assert_healthy, kubectl, namespaces_left, run_suite

pytestmark = pytest.mark.real_cluster
LISTED = "namespaces,nodes,pods,services,endpointslices,configmaps,serviceaccounts,clusterroles"


def _objects(cluster: Cluster) -> set[str]:
    shown = kubectl(cluster, "get", LISTED, "-A", "-o", "name", "--show-kind")
    return set(shown.split())


def test_ipv6_cluster_is_healthy_and_left_as_it_was(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    assert namespaces_left(ipv6_cluster) == []  # of the tests before
    before, kubeconfig = _objects(ipv6_cluster), ipv6_cluster.kubeconfig.read_bytes()

    run = run_suite(ipv6_cluster, tmp_path)

    assert_healthy(run)
    assert run.report["cluster"]["stack"] == "ipv6"
    assert namespaces_left(ipv6_cluster) == []
    assert _objects(ipv6_cluster) == before
    assert ipv6_cluster.kubeconfig.read_bytes() == kubeconfig
    assert b"PRIVATE KEY" not in (tmp_path / "report.json").read_bytes()


def test_workers_see_the_same(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    run = run_suite(ipv6_cluster, tmp_path, "-n", "2")

    assert_healthy(run)
