"""CoreDNS may not read EndpointSlices: what runs goes on, and no new pod of it gets ready.

So it is after an upgrade of CoreDNS without its ClusterRole. It is found by the testbed, which
restarts CoreDNS: the run goes on without it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import IMPATIENT
from tests.real import kubectl, run_suite

pytestmark = pytest.mark.real_cluster
ROLE = ("clusterrole", "system:coredns")
COREDNS = ("-n", "kube-system", "deployment/coredns")
ONLY = ("--ipv6k8s-external=testbed", "-k", "ADDR-01 or DNS-01 or EGR-01")
STRATEGIES: dict[str, tuple[dict[str, object], str]] = {
    "RollingUpdate": ({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}}, "pass"),
    "Recreate": ({"type": "Recreate", "rollingUpdate": None}, "fail"),
}


def _patch(cluster: Cluster, where: tuple[str, ...], change: object, kind: str) -> None:
    kubectl(cluster, "patch", *where, f"--type={kind}", "-p", json.dumps(change))


@contextmanager
def no_slices(cluster: Cluster, strategy: dict[str, object]) -> Iterator[None]:
    """Take from CoreDNS the right to EndpointSlices, and let it be restarted in some way."""
    rules = json.loads(kubectl(cluster, "get", *ROLE, "-o", "json"))["rules"]
    fewer = [rule for rule in rules if "endpointslices" not in rule["resources"]]
    assert fewer != rules
    try:
        _patch(cluster, COREDNS, {"spec": {"strategy": strategy}}, "merge")
        _patch(cluster, ROLE, {"rules": fewer}, "merge")
        yield
    finally:
        _patch(cluster, ROLE, {"rules": rules}, "merge")
        _patch(cluster, COREDNS, {"spec": {"strategy": STRATEGIES["RollingUpdate"][0]}}, "merge")
        kubectl(cluster, "rollout", "restart", *COREDNS)
        kubectl(cluster, "rollout", "status", *COREDNS, "--timeout=80s")


@pytest.mark.parametrize("name", STRATEGIES)
def test_dns_does_not_come_back(ipv6_cluster: Cluster, tmp_path: Path, name: str) -> None:
    strategy, verdict = STRATEGIES[name]

    with no_slices(ipv6_cluster, strategy):
        run = run_suite(ipv6_cluster, tmp_path, *IMPATIENT, *ONLY)

    assert run.code == 1, run.out
    assert run.report["result"] == "failure"
    (fact,) = [fact for fact in run.report["harness"] if fact["id"] == "META-03"]
    down = "CoreDNS does not come back when it is restarted with its Corefile as it was: coredns-"
    assert not fact["ok"]
    assert fact["actual"].startswith(down)
    assert "DNS-01" in run.ids(verdict), run.out
    assert "ADDR-01" in run.ids("pass"), run.out
    assert run.check("EGR-01")["verdict"] == "skip"
    assert down in run.check("EGR-01")["reason"]
    healed = run_suite(ipv6_cluster, tmp_path, *ONLY)
    assert healed.ids("pass") == {"ADDR-01", "DNS-01", "EGR-01"}, healed.out
