"""The testbed beside a cluster: every worker sees it, and a missing target is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.real import TARGET_CHECKS, RealTestbed, assert_healthy, run_suite

pytestmark = pytest.mark.real_cluster
NOBODY_THERE = """
apiVersion: ipv6k8s.io/v1alpha1
kind: ClusterDeclaration
egress: masquerade
targets: [{role: v6, addresses: ["2001:db8:dead::1"], tcp: 80}]
"""


def test_workers_see_the_same_outside(
    ipv6_cluster: Cluster, ipv6_testbed: RealTestbed, tmp_path: Path
) -> None:
    run = run_suite(ipv6_cluster, tmp_path, ipv6_testbed.option, "-n", "4", "-k", "not POL")

    assert_healthy(run, *TARGET_CHECKS)


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_a_declared_target_that_is_not_there_is_inconclusive_and_the_rest_runs(
    ipv6_cluster: Cluster, tmp_path: Path, workers: tuple[str, ...]
) -> None:
    file, only = tmp_path / "ipv6k8s.yaml", ("-k", "EGR-01 or SVC-01")
    file.write_text(NOBODY_THERE)

    run = run_suite(ipv6_cluster, tmp_path, f"--ipv6k8s-declaration={file}", *only, *workers)

    assert run.code == 1, run.out
    assert run.ids("inconclusive") == {"EGR-01"}, run.out
    assert run.ids("pass") == {"SVC-01"}, run.out
    reason = run.check("EGR-01")["reason"]
    assert "no probe reaches target v6 at 2001:db8:dead::1, nor can it be asked" in reason
