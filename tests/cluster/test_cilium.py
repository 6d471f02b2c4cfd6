"""The suite on a cluster with Cilium: what is healthy there is green."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.oddities.admission import DEFAULT_DENY
from tests.oddities.changing import in_every_new_namespace
from tests.real import SVC_05_WAIVED, TARGET_CHECKS, RealTestbed, run_suite

pytestmark = pytest.mark.real_cluster
JUDGED_UNDER_POLICIES = "ADDR or API or SVC-12 or EGR-05 or MTU-14 or POL-00"
"""Some of all kinds: from the API, in a pod, between pods; with and without a first round."""


def test_a_healthy_cluster_with_cilium_is_green(
    cilium_cluster: Cluster, cilium_testbed: RealTestbed, tmp_path: Path
) -> None:
    run = run_suite(cilium_cluster, tmp_path, cilium_testbed.option, SVC_05_WAIVED)

    assert run.red <= {"SVC-05"}, run.out
    assert run.code == 0, run.out
    assert run.report["cluster"]["cni"] == "cilium"
    assert {"ADDR-01", "SVC-01", "DNS-01", "POL-01", *TARGET_CHECKS} <= run.ids("pass")


def test_a_default_deny_of_others_is_named_and_nothing_is_blamed_for_it(
    cilium_cluster: Cluster, tmp_path: Path
) -> None:
    with in_every_new_namespace(cilium_cluster, DEFAULT_DENY):
        run = run_suite(cilium_cluster, tmp_path, "-k", JUDGED_UNDER_POLICIES)

    assert run.report, run.out
    assert not run.ids("fail"), run.out
    shut = {id for id in run.ids("inconclusive") if "NetworkPolicy" in run.check(id)["reason"]}
    assert shut == run.ids("inconclusive") > set(), run.out
    assert {"ADDR-01", "API-01"} <= run.ids("pass"), run.out
