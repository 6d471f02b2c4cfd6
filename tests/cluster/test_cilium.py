"""The suite on a cluster with Cilium: what is healthy there is green."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
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
