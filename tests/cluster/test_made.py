"""Clusters that are made for one run: each is healthy, has an outside, and nothing stays."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from tests.real import (
    SVC_05_WAIVED,
    TARGET_CHECKS,
    assert_healthy,
    left_of,
    make_and_run,
    node_image,
    unused_volumes,
)

pytestmark = pytest.mark.real_cluster
DENIED = '''
from pytest_ipv6k8s import check, expect
from pytest_ipv6k8s.agent.ports import TCP_PORT
from pytest_ipv6k8s.agent.ops import tcp_connect
from pytest_ipv6k8s.waiting import wait_until

POLICY = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "nobody"},
    "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
}

@check(
    "T-01",
    references=["RFC 8200 section 3"],
    causes=["a policy denies it"],
    look="kubectl get networkpolicy",
)
def test_denied(ipv6k8s_probes, ipv6k8s_api):
    """Pods of a namespace in which nobody may be reached are reached."""
    asker, asked = ipv6k8s_probes[0], ipv6k8s_probes[-1]
    name = asked.pod.namespace
    ipv6k8s_api.create(f"/apis/networking.k8s.io/v1/namespaces/{name}/networkpolicies", POLICY)
    request = tcp_connect.Request(asked.pod.ips[0], TCP_PORT, timeout=2.0)
    shut = lambda: not asker.ask(request).answer.connected
    wait_until("the policy is enforced", shut, timeout=30, interval=1)
    heard = asker.ask(request)
    expect(heard.answer.connected, expected="a connection", actual=heard)
'''


def test_a_dual_stack_cluster_with_cilium_is_green_and_denied_packets_are_in_a_bundle(
    tmp_path: Path,
) -> None:
    (tmp_path / "test_denied.py").write_text(DENIED)
    words = ["--ipv6k8s-stack=dual", "--ipv6k8s-cni=cilium", "--ipv6k8s-bundle=b", SVC_05_WAIVED]
    words += [f"--ipv6k8s-node-image={node_image('cilium')}"]

    run = make_and_run(tmp_path, *words, "--pyargs", "pytest_ipv6k8s.conformance", "test_denied.py")

    assert "T-01" in run.ids("inconclusive"), run.out
    assert "policies of others isolate our pods: NetworkPolicy nobody" in run.out
    assert run.red <= {"T-01", "SVC-05"}, run.out
    assert {"ADDR-01", "SVC-01", "DNS-01", "POL-01", *TARGET_CHECKS} <= run.ids("pass")
    (bundle,) = (tmp_path / "b").iterdir()
    with tarfile.open(bundle) as packed:
        drops = [m for m in packed if "/checks/T-01/cni-drops/" in m.name]
        told = [file.read().decode() for file in map(packed.extractfile, drops) if file]
    assert any("Policy denied" in each for each in told), told
    assert not left_of(run.out)


@pytest.mark.parametrize(
    ("stack", "proxy", "options"),
    [
        ("ipv6", "nftables", ("--ipv6k8s-kube-proxy=nftables",)),
        ("dual", "iptables", ("-n", "2")),
        ("dual-ipv6", "iptables", ()),
    ],
)
def test_a_cluster_that_is_made_is_healthy_and_nothing_stays(
    tmp_path: Path, stack: str, proxy: str, options: tuple[str, ...]
) -> None:
    volumes = unused_volumes()

    run = make_and_run(tmp_path, f"--ipv6k8s-stack={stack}", *options)

    assert_healthy(run, *TARGET_CHECKS)
    assert (run.report["result"], run.report["cluster"]["stack"]) == ("success", stack), run.out
    assert run.report["cluster"]["proxy"] == f"kube-proxy {proxy}"
    assert not left_of(run.out)
    assert unused_volumes() <= volumes


def test_the_wheel_makes_a_cluster_with_its_outside_although_pip_wrote_byte_code(
    wheel_python: Path, tmp_path: Path
) -> None:
    run = make_and_run(tmp_path, python=wheel_python)

    servers = "lib/python*/site-packages/pytest_ipv6k8s/fixtures/testbed/servers"
    assert [*wheel_python.parents[1].glob(f"{servers}/__pycache__/*.pyc")]
    assert_healthy(run, *TARGET_CHECKS)
    assert run.report["result"] == "success", run.out
    assert run.report["cluster"]["proxy"] == "kube-proxy iptables"
    assert not left_of(run.out)
