"""CoreDNS answers NXDOMAIN for AAAA, as some templates and proxies do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters import Cluster
from tests.faults.fault import Fault, prove
from tests.real import kubectl

pytestmark = pytest.mark.real_cluster
TEMPLATE = "    template IN AAAA . {\n        rcode NXDOMAIN\n    }\n    kubernetes "


def _load(cluster: Cluster, corefile: str) -> None:
    patch = json.dumps({"data": {"Corefile": corefile}})
    system = ("-n", "kube-system")
    kubectl(cluster, *system, "patch", "configmap", "coredns", "--type=merge", "-p", patch)
    kubectl(cluster, *system, "rollout", "restart", "deployment/coredns")
    kubectl(cluster, *system, "rollout", "status", "deployment/coredns", "--timeout=80s")


@contextmanager
def nxdomain_for_aaaa(cluster: Cluster) -> Iterator[None]:
    """Put a template before the kubernetes plugin and restart CoreDNS."""
    where = ("-n", "kube-system", "get", "configmap", "coredns", "-o", "jsonpath={.data.Corefile}")
    corefile = kubectl(cluster, *where)
    _load(cluster, corefile.replace("    kubernetes ", TEMPLATE, 1))
    try:
        yield
    finally:
        _load(cluster, corefile)


FAULT = Fault(
    broken=nxdomain_for_aaaa,
    must=frozenset({"DNS-04", "DNS-06", "DNS-07", "DNS-08", "DNS-14", "DNS-16"}),
    may=frozenset(),
    cause={"DNS-04": "a template", "DNS-07": "NXDOMAIN"},
)


def test_nxdomain_for_aaaa(dual_cluster: Cluster, tmp_path: Path) -> None:
    prove(FAULT, dual_cluster, tmp_path)
