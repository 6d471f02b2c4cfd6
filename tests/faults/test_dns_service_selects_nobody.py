"""The DNS Service selects no pod: a chart has given CoreDNS' pods another label."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.real import kubectl

pytestmark = pytest.mark.real_cluster
SERVICE = ("-n", "kube-system", "patch", "service", "kube-dns", "-p")
SELECTOR = '{"spec": {"selector": {"k8s-app": "%s"}}}'


@contextmanager
def selects_nobody(cluster: Cluster) -> Iterator[None]:
    """Let the Service look for another label."""
    try:
        kubectl(cluster, *SERVICE, SELECTOR % "coredns")
        yield
    finally:
        kubectl(cluster, *SERVICE, SELECTOR % "kube-dns")


FAULT = Fault(
    broken=selects_nobody,
    must=frozenset({"DNS-01"}),
    cause={"DNS-01": "the DNS Service selects no pod"},
)


def test_dns_service_selects_nobody(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
