"""The suite on healthy clusters: nothing red, every skip explained, nothing left behind."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from pytest_ipv6k8s import catalogue
from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.clusters import Cluster
from pytest_ipv6k8s.reports.checking import disagreements
from tests.real import SuiteRun, kind_cluster, kubectl, run_suite

pytestmark = pytest.mark.real_cluster
SCHEMA = json.loads(resources.files("pytest_ipv6k8s").joinpath("reports/schema.json").read_text())
LISTED = "namespaces,nodes,pods,services,endpointslices,configmaps,serviceaccounts,clusterroles"


def _assert_healthy(run: SuiteRun) -> None:
    jsonschema.validate(run.report, SCHEMA)
    assert disagreements(run.report, catalogue.checks()) == []
    assert run.report["profiles"], "nothing is claimed"
    assert not run.red, run.out
    assert run.code == 0, run.out
    assert len(run.report["checks"]) >= 60
    silent = [c["id"] for c in run.report["checks"] if c["verdict"] == "skip" and not c["reason"]]
    assert not silent
    assert all(fact["holds"] for fact in run.report["harness"]), run.report["harness"]
    assert {fact["id"] for fact in run.report["harness"]} >= {
        f"META-0{number}" for number in (1, 2, 4, 5, 6, 7)
    }


def _objects(cluster: Cluster) -> set[str]:
    shown = kubectl(cluster, "get", LISTED, "-A", "-o", "name", "--show-kind")
    return set(shown.split())


def test_ipv6_cluster_is_healthy_and_left_as_it_was(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    before, kubeconfig = _objects(ipv6_cluster), ipv6_cluster.kubeconfig.read_bytes()

    run = run_suite(ipv6_cluster, tmp_path)

    _assert_healthy(run)
    assert run.report["cluster"]["stack"] == "ipv6"
    assert _objects(ipv6_cluster) == before
    assert ipv6_cluster.kubeconfig.read_bytes() == kubeconfig
    assert b"PRIVATE KEY" not in (tmp_path / "report.json").read_bytes()


def test_dual_cluster_is_healthy(dual_cluster: Cluster, tmp_path: Path) -> None:
    run = run_suite(dual_cluster, tmp_path)

    _assert_healthy(run)
    assert run.report["cluster"]["stack"] == "dual"


def test_ipv6_first_cluster_is_healthy(tmp_path: Path) -> None:
    with kind_cluster(Stack.DUAL_IPV6) as cluster:
        run = run_suite(cluster, tmp_path)

    _assert_healthy(run)
    assert run.report["cluster"]["stack"] == "dual-ipv6"


def test_workers_see_the_same(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    run = run_suite(ipv6_cluster, tmp_path, "-n", "2")

    _assert_healthy(run)
