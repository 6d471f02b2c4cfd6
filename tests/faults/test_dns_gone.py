"""CoreDNS has no pod: it was scaled to zero, or no node takes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.real import kubectl

pytestmark = pytest.mark.real_cluster
WHICH = ("-n", "kube-system", "deployment/coredns")


@contextmanager
def dns_gone(cluster: Cluster) -> Iterator[None]:
    """Scale CoreDNS to zero and wait until its pods have gone."""
    try:
        kubectl(cluster, "scale", *WHICH, "--replicas=0")
        gone = ("-n", "kube-system", "wait", "pod", "-l", "k8s-app=kube-dns")
        kubectl(cluster, *gone, "--for=delete", "--timeout=60s")
        yield
    finally:
        kubectl(cluster, "scale", *WHICH, "--replicas=2")
        kubectl(cluster, "rollout", "status", *WHICH, "--timeout=80s")


FAULT = Fault(
    broken=dns_gone,
    must=frozenset({"DNS-01"}),
    cause={"DNS-01": "CoreDNS does not run"},
)


def test_dns_gone(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
