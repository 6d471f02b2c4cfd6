"""Failure bundles of real clusters: what they show of nodes, and that they show no secret."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.real import kubectl, left_of, run_suite

pytestmark = pytest.mark.real_cluster
LARGEST = 16 << 20
TABLES = ("nodes", "pods", "services", "endpointslices", "deployments", "daemonsets")

CHECK = '''
from pytest_ipv6k8s import check, expect
from pytest_ipv6k8s.agent.ops import tcp_connect

@check("T-01", references=["RFC 793 section 3"], causes=["nobody listens"], look="kubectl get pods")
def test_closed_port(ipv6k8s_probes):
    """A port on which nobody listens answers."""
    to = ipv6k8s_probes[1].pod.ips[0]
    heard = ipv6k8s_probes[0].ask(tcp_connect.Request(to, 9))
    expect(heard.answer.connected, expected="a connection", actual=heard)
'''
LEAKY = """
apiVersion: v1
kind: Pod
metadata: {name: leaky, namespace: default}
spec:
  containers:
  - name: web
    image: nowhere.invalid/none:1
    args: [--password, hunter2, --token=hunter2]
    env: [{name: DB_PASSWORD, value: hunter2}]
---
apiVersion: v1
kind: Secret
metadata: {name: leaky, namespace: default}
stringData: {key: hunter2}
"""


def _contents(folder: Path) -> dict[str, str]:
    """Return the files of the only bundle in a folder."""
    (path,) = folder.iterdir()
    assert re.fullmatch(r"ipv6k8s-bundle-[0-9a-f]{6}\.tar\.gz", path.name)
    assert path.stat().st_size < LARGEST
    with tarfile.open(path) as packed:
        files = {m.name.partition("/")[2]: packed.extractfile(m) for m in packed}
        return {name: file.read().decode() for name, file in files.items() if file}


@pytest.fixture
def leaky(ipv6_cluster: Cluster) -> Iterator[None]:
    """A pod and a Secret that bundles must not give away."""
    kubectl(ipv6_cluster, "apply", "-f", "-", stdin=LEAKY)
    yield
    kubectl(ipv6_cluster, "delete", "--grace-period=0", "--force", "-f", "-", stdin=LEAKY)


@pytest.mark.usefixtures("leaky")
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_a_bundle_shows_the_cluster_and_no_secret(
    ipv6_cluster: Cluster, tmp_path: Path, workers: tuple[str, ...]
) -> None:
    (tmp_path / "test_closed.py").write_text(CHECK)

    run = run_suite(ipv6_cluster, tmp_path, "--ipv6k8s-bundle=b", "test_closed.py", *workers)

    assert run.code == 1, run.out
    assert "bundle    b/ipv6k8s-bundle-" in run.out
    assert run.check("T-01")["items"][0]["bundle"].startswith("b/ipv6k8s-bundle-")
    found = _contents(tmp_path / "b")
    for page in ("README.md", "checks/T-01/README.md"):
        assert "## What is missing or cut\n\nNothing." in found[page]
    assert "[T-01](checks/T-01/README.md)" in found["README.md"]
    assert "pod default/leaky" in found["README.md"].partition("## What looks odd")[2]
    for name in (
        "checks/T-01/probes/probe-00.txt",
        "checks/T-01/probes/host-00.txt",
        "config/kube-system/coredns/Corefile",
        *(f"tables/{kind}.txt" for kind in TABLES),
    ):
        assert name in found
    assert re.search("coredns +[12]/[12] ", found["tables/deployments.txt"])
    routes = [text for name, text in found.items() if name.endswith("/ip-route.txt")]
    assert len(routes) == 2
    assert all(re.search("^-6 .* table main", text, re.MULTILINE) for text in routes)
    assert all("-6 0: from all lookup local" in found[name] for name in found if "ip-rule" in name)
    assert [name for name in found if name.startswith("logs/kube-system/coredns-")]
    assert [name for name in found if name.startswith("logs/kube-system/kube-proxy-")]
    (again,) = json.loads(found["checks/T-01/asked-again.json"])
    assert again["answerNow"]["error"] == "ECONNREFUSED"
    assert "leaky" in found["objects/default/pods.json"]
    assert "hunter2" not in str(found)


def test_a_cluster_that_was_made_shows_its_nodes(tmp_path: Path) -> None:
    (tmp_path / "test_closed.py").write_text(CHECK)
    done = _pytest(tmp_path, "--ipv6k8s-external=none", "test_closed.py")

    assert done.returncode == 1, done.stdout
    found = _contents(tmp_path / "b")
    nodes = {name.split("/")[1] for name in found if name.startswith("nodes/")}
    assert len(nodes) == 2
    for node in nodes:
        assert "inet6" in found[f"nodes/{node}/ip-addr.txt"]
        assert "table local" in found[f"nodes/{node}/ip-6-route.txt"]
        assert "KUBE-SERVICES" in found[f"nodes/{node}/ip6tables-save.txt"]
        assert "kubelet" in found[f"nodes/{node}/kubelet.log.txt"]
    assert not left_of(done.stdout)


def test_a_run_that_cannot_begin_leaves_a_bundle(tmp_path: Path) -> None:
    done = _pytest(tmp_path, "--ipv6k8s-node-selector=no=such")

    assert done.returncode == 4, done.stdout
    assert "no node can take a probe" in done.stderr
    assert "ipv6k8s: bundle b/ipv6k8s-bundle-" in done.stdout
    found = _contents(tmp_path / "b")
    assert "no node can take a probe" in found["README.md"]
    assert [name for name in found if name.endswith("/ip6tables-save.txt")]
    assert not left_of(done.stdout)


def _pytest(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    asked = ["--ipv6k8s-provider=kind", "--ipv6k8s-bundle=b", *words]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *asked],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
