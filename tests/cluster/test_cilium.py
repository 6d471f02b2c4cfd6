"""The suite on a cluster with Cilium: what is healthy there is green."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.oddities.admission import DEFAULT_DENY
from tests.oddities.changing import in_every_new_namespace
from tests.real import SVC_05_WAIVED, TARGET_CHECKS, RealTestbed, run_suite

pytestmark = pytest.mark.real_cluster


def test_a_healthy_cluster_with_cilium_is_green(
    cilium_cluster: Cluster, cilium_testbed: RealTestbed, tmp_path: Path
) -> None:
    run = run_suite(cilium_cluster, tmp_path, cilium_testbed.option, SVC_05_WAIVED)

    assert run.red <= {"SVC-05"}, run.out
    assert run.code == 0, run.out
    assert run.report["cluster"]["cni"] == "cilium"
    assert {"ADDR-01", "SVC-01", "DNS-01", "POL-01", *TARGET_CHECKS} <= run.ids("pass")


def test_what_a_default_deny_in_every_namespace_shuts_is_said_to_be_the_policys(
    cilium_cluster: Cluster, tmp_path: Path
) -> None:
    asked = ("-k", "ADDR or API or DNS or NODE or SVC", "-n", "4")
    with in_every_new_namespace(cilium_cluster, DEFAULT_DENY):
        run = run_suite(cilium_cluster, tmp_path, *asked)

    assert not run.ids("fail"), run.out
    assert {"ADDR-01", "API-01", "NODE-01"} <= run.ids("pass"), run.out
    assert {"ADDR-16", "DNS-01"} <= run.ids("inconclusive"), run.out
    shut = [run.check(id)["reason"] for id in run.ids("inconclusive")]
    assert all("NetworkPolicy" in reason and "generated" in reason for reason in shut), run.out
