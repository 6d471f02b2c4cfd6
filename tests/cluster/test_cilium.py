"""The suite on clusters with Cilium: what is healthy there is green, and drops are told."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters import Cluster
from tests.real import OUTSIDE, RUN_TIME, OutsideWorld, SuiteRun, left_of, node_image, run_suite

pytestmark = pytest.mark.real_cluster
KNOWN = "cilium/cilium 26733: before 1.19, no pod reaches itself through an IPv6 Service"
WAIVED = f"--ipv6k8s-waive=SVC-05={KNOWN}"
DENIED = '''
from pytest_ipv6k8s import check, expect
from pytest_ipv6k8s.probe import TCP_PORT
from pytest_ipv6k8s.probe.ops import tcp_connect
from pytest_ipv6k8s.waiting import wait_until

POLICY = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "nobody"},
    "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
}

@check("T-01", references=["none"], causes=["a policy denies it"], look="kubectl get networkpolicy")
def test_denied(ipv6k8s_probes, ipv6k8s_api):
    """Pods of a namespace in which nobody may be reached are reached."""
    asker, asked = ipv6k8s_probes[0], ipv6k8s_probes[-1]
    name = asked.pod.namespace
    ipv6k8s_api.create(f"/apis/networking.k8s.io/v1/namespaces/{name}/networkpolicies", POLICY)
    request = tcp_connect.Request(asked.pod.ips[0], TCP_PORT, timeout=2.0)
    shut = lambda: not asker.ask(request).answer.connected
    wait_until("the policy is enforced", shut, within=30, every=1)
    heard = asker.ask(request)
    expect(heard.answer.connected, expected="a connection", seen=heard)
'''


def test_a_healthy_cluster_with_cilium_is_green(
    cilium_cluster: Cluster, cilium_outside: OutsideWorld, tmp_path: Path
) -> None:
    run = run_suite(cilium_cluster, tmp_path, cilium_outside.option, WAIVED)

    assert run.red <= {"SVC-05"}, run.out
    assert run.code == 0, run.out
    assert run.report["cluster"]["cni"] == "cilium"
    assert {"ADDR-01", "SVC-01", "DNS-01", "POL-01", *OUTSIDE} <= run.ids("pass")


def test_a_dual_stack_cluster_with_cilium_is_green_and_denied_packets_are_in_a_bundle(
    tmp_path: Path,
) -> None:
    (tmp_path / "test_denied.py").write_text(DENIED)
    words = ["--ipv6k8s-provider=kind", "--ipv6k8s-stack=dual", "--ipv6k8s-cni=cilium"]
    words += [f"--ipv6k8s-node-image={node_image('cilium')}", "--ipv6k8s-report=r.json", WAIVED]
    words += ["--ipv6k8s-bundle=b", "--pyargs", "pytest_ipv6k8s.conformance", "test_denied.py"]

    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=RUN_TIME,
        check=False,
    )

    report = json.loads((tmp_path / "r.json").read_text())
    run = SuiteRun(code=done.returncode, out=done.stdout + done.stderr, report=report)
    assert "T-01" in run.ids("fail"), run.out
    assert run.red <= {"T-01", "SVC-05"}, run.out
    assert {"ADDR-01", "SVC-01", "DNS-01", "POL-01", *OUTSIDE} <= run.ids("pass")
    with tarfile.open(tmp_path / "b" / "T-01.tar.gz") as packed:
        drops = [m for m in packed if m.name.endswith("/cni-drops.txt")]
        told = [file.read().decode() for file in map(packed.extractfile, drops) if file]
    assert any("Policy denied" in each for each in told), told
    assert not left_of(run.out)
