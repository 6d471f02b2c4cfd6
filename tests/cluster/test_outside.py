"""The outside world on real clusters: made, found healthy, told apart by style, and gone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.clusters import Cluster
from tests.real import (
    RUN_TIME,
    OutsideWorld,
    SuiteRun,
    kubectl,
    left_of,
    on_node,
    run_suite,
    unused_volumes,
)

pytestmark = pytest.mark.real_cluster
NOBODY_THERE = """
apiVersion: ipv6k8s/v1alpha1
kind: ClusterDeclaration
egress: masquerade
targets: [{role: v6, addresses: ["2001:db8:dead::1"], tcp: 80}]
"""
COREFILE = ("-n", "kube-system", "get", "configmap", "coredns", "-o", "yaml")


def _assert_green(run: SuiteRun) -> None:
    assert not run.red, run.out
    assert run.code == 0, run.out
    assert {"EGR-01", "N64-14", "MTU-07"} <= run.ids("pass"), run.out


@pytest.mark.parametrize("stack", [Stack.IPV6, Stack.DUAL], ids=lambda stack: stack.value)
def test_a_cluster_that_is_made_has_an_outside_and_nothing_stays(
    tmp_path: Path, stack: Stack
) -> None:
    volumes = unused_volumes()
    words = ["--ipv6k8s-provider=kind", f"--ipv6k8s-stack={stack.value}"]

    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, "--ipv6k8s-report=r.json", "-n", "2"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=RUN_TIME,
        check=False,
    )

    out = done.stdout + done.stderr
    report = json.loads((tmp_path / "r.json").read_text())
    _assert_green(SuiteRun(code=done.returncode, out=out, report=report))
    assert report["result"] == "success", out
    assert not left_of(out)
    assert unused_volumes() <= volumes


def test_workers_see_the_same_outside(
    ipv6_cluster: Cluster, ipv6_outside: OutsideWorld, tmp_path: Path
) -> None:
    _assert_green(
        run_suite(ipv6_cluster, tmp_path, ipv6_outside.option, "-n", "4", "-k", "not POL")
    )


@pytest.mark.parametrize("style", ["native", "nptv6", "masquerade"])
def test_each_style_of_egress_is_named_and_taken_back(
    dual_cluster: Cluster, tmp_path: Path, style: str
) -> None:
    before, corefile = _state(dual_cluster), kubectl(dual_cluster, *COREFILE)

    run = run_suite(
        dual_cluster,
        tmp_path,
        "--ipv6k8s-outside=hermetic",
        f"--ipv6k8s-egress={style}",
        "-k",
        "EGR",
    )

    assert not run.red, run.out
    assert {"EGR-01", "EGR-03"} <= run.ids("pass"), run.out
    assert _state(dual_cluster) == before
    assert _data(kubectl(dual_cluster, *COREFILE)) == _data(corefile)
    assert f"{dual_cluster.name}-outside" not in left_of(dual_cluster.name)


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


def _data(config_map: str) -> str:
    return config_map.partition("kind:")[0]


def _state(cluster: Cluster) -> list[str]:
    """Return routes and packet-filter tables of both nodes."""
    script = "ip -6 route show proto boot; ip -4 route show proto boot; nft list tables | sort"
    nodes = (f"{cluster.name}-control-plane", f"{cluster.name}-worker")
    return [on_node(node, script) for node in nodes]
