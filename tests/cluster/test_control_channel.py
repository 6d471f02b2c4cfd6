"""The control channel is cut in mid-run: inconclusive, never a failure, and the run ends."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from pytest_ipv6k8s.process import CommandFailed, must_run
from pytest_ipv6k8s.waiting import persist
from tests.faults.makers import MANIFESTS, UNFILTER
from tests.real import (
    RUN_TIME,
    SuiteRun,
    command,
    kubectl,
    namespaces_left,
    nodes_of,
    on_node,
    run_suite,
)
from tests.slices import by_slice

pytestmark = pytest.mark.real_cluster
API = "kube-apiserver.yaml"
DROP = """
nft -f - <<END
table inet ipv6k8s_harness {{
  chain c {{ type filter hook input priority filter; tcp dport {{ {ports} }} {which} drop; }}
}}
END
sleep {seconds}; nft delete table inet ipv6k8s_harness
"""
UNDROP = UNFILTER.format(family="inet", table="ipv6k8s_harness")
FREEZE = "pkill -STOP -x {0}; sleep 5; pkill -CONT -x {0}"
CONTROL_PLANE, WORKER, HERE = "control-plane", "worker", ""
TROUBLES = {
    "API server frozen": (CONTROL_PLANE, FREEZE.format("kube-apiserver")),
    "etcd frozen": (CONTROL_PLANE, FREEZE.format("etcd")),
    "etcd killed": (CONTROL_PLANE, "pkill -KILL -x etcd"),
    "kubelet restarted": (WORKER, "systemctl restart kubelet"),
    "containerd restarted": (WORKER, "systemctl restart containerd"),
    "node frozen": (HERE, "docker pause {name}-worker; sleep 20; docker unpause {name}-worker"),
    "execs stalled": (WORKER, DROP.format(ports=10250, which="", seconds=20)),
    "execs dead": (WORKER, DROP.format(ports=10250, which="", seconds=900)),
    "loss": (
        CONTROL_PLANE,
        DROP.format(ports="6443, 10250", which="numgen random mod 10 == 0", seconds=60),
    ),
}
"""What happens to the way to the probes: on which node, and how."""


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


def test_an_api_server_that_is_away_at_the_end_is_waited_for(
    ipv6_cluster: Cluster, tmp_path: Path
) -> None:
    # First of all: the kubelet waits longer before it starts an API server that died often.
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


@pytest.mark.parametrize("trouble", by_slice(sorted(TROUBLES), 2, key=str))
def test_trouble_on_the_way_to_the_probes_is_not_the_clusters_fault(
    ipv6_cluster: Cluster, tmp_path: Path, trouble: str
) -> None:
    end, script = TROUBLES[trouble]

    with ThreadPoolExecutor(1) as meanwhile:

        def begin() -> None:
            if end:
                _on_node_meanwhile(f"{ipv6_cluster.name}-{end}", script)
            else:
                words = ["sh", "-c", script.format(name=ipv6_cluster.name)]
                meanwhile.submit(must_run, words, timeout=60)

        run = _run_and_cut(ipv6_cluster, tmp_path, begin)

    for node in nodes_of(ipv6_cluster):
        on_node(node, UNDROP)
    persist(lambda: kubectl(ipv6_cluster, "get", "nodes"), CommandFailed, timeout=90, interval=2)
    assert not run.ids("fail"), run.out
    assert run.ids("pass"), run.out
    assert namespaces_left(ipv6_cluster) == []


def test_a_run_right_after_a_restart_waits_for_what_has_to_come_back(
    ipv6_cluster: Cluster, tmp_path: Path
) -> None:
    ready = ("get", "--raw", "/readyz")
    _kill_api_server(f"{ipv6_cluster.name}-control-plane")
    persist(lambda: kubectl(ipv6_cluster, *ready), CommandFailed, timeout=300, interval=0.5)

    run = run_suite(ipv6_cluster, tmp_path, "-k", "DNS or SVC")

    assert not run.ids("fail"), run.out
    assert {"DNS-01", "SVC-01"} <= run.ids("pass"), run.out


def _on_node_meanwhile(node: str, script: str) -> None:
    on_node(node, f"setsid sh -c '{script}' >/dev/null 2>&1 </dev/null & sleep 3")


def _kill_api_server(node: str) -> None:
    on_node(node, "pkill -KILL kube-apiserver")
