"""The control channel is cut in mid-run: inconclusive, never a failure, and the run ends."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from pytest_ipv6k8s.process import CommandFailed
from pytest_ipv6k8s.waiting import persist
from tests.faults.makers import MANIFESTS
from tests.real import RUN_TIME, SuiteRun, command, kubectl, namespaces_left, on_node

pytestmark = pytest.mark.real_cluster
API = "kube-apiserver.yaml"


def _run_and_cut(
    cluster: Cluster, folder: Path, cut: Callable[[], None], *options: str
) -> SuiteRun:
    """Start the suite, cut when the first check has passed, and wait for the end."""
    file = folder / "report.json"
    process = subprocess.Popen(
        command(cluster, f"--ipv6k8s-report={file}", *options),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if " pass " in line:
            cut()
            break
    rest, _ = process.communicate(timeout=RUN_TIME)
    return SuiteRun(code=process.returncode, out=said + rest, report=json.loads(file.read_text()))


def test_deleted_probe_makes_checks_inconclusive(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    def cut() -> None:
        selector = "app=ipv6k8s-probe,ipv6k8s/role=peer"
        kubectl(ipv6_cluster, "delete", "pod", "-A", "-l", selector, "--force", "--grace-period=0")

    run = _run_and_cut(ipv6_cluster, tmp_path, cut)

    assert not run.ids("fail"), run.out
    assert run.ids("inconclusive"), run.out
    assert run.code == 1


def test_restarted_api_server_makes_checks_inconclusive(
    ipv6_cluster: Cluster, tmp_path: Path
) -> None:
    node = f"{ipv6_cluster.name}-control-plane"

    run = _run_and_cut(ipv6_cluster, tmp_path, lambda: _kill_api_server(node))

    assert not run.ids("fail"), run.out
    assert run.ids("inconclusive"), run.out
    assert run.code == 1


def test_an_api_server_that_is_away_at_the_end_is_waited_for(
    ipv6_cluster: Cluster, tmp_path: Path
) -> None:
    node, manifest = f"{ipv6_cluster.name}-control-plane", f"{MANIFESTS}/kube-apiserver.yaml"
    away = f"mv {manifest} /run/; pkill -KILL kube-apiserver; sleep 25; mv /run/{API} {manifest}"

    run = _run_and_cut(
        ipv6_cluster, tmp_path, lambda: _on_node_meanwhile(node, away), "-k", "ADDR-01 or ADDR-09"
    )

    persist(lambda: kubectl(ipv6_cluster, "get", "nodes"), CommandFailed, timeout=90, interval=2)
    assert not run.ids("fail"), run.out
    (cleaned,) = [fact for fact in run.report["harness"] if fact["id"] == "META-06"]
    assert cleaned["ok"], run.out
    assert namespaces_left(ipv6_cluster) == []


def _on_node_meanwhile(node: str, script: str) -> None:
    on_node(node, f"setsid sh -c '{script}' >/dev/null 2>&1 </dev/null & sleep 3")


def _kill_api_server(node: str) -> None:
    on_node(node, "pkill -KILL kube-apiserver")
