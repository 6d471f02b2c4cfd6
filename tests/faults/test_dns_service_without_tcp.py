"""The DNS Service has no TCP port: somebody wrote it anew, for UDP alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.real import kubectl

pytestmark = pytest.mark.real_cluster
SERVICE = ("-n", "kube-system", "patch", "service", "kube-dns", "--type=json", "-p")
TCP = '{"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53}'


@contextmanager
def without_tcp(cluster: Cluster) -> Iterator[None]:
    """Take the second port away."""
    try:
        kubectl(cluster, *SERVICE, '[{"op": "remove", "path": "/spec/ports/1"}]')
        yield
    finally:
        kubectl(cluster, *SERVICE, f'[{{"op": "add", "path": "/spec/ports/1", "value": {TCP}}}]')


FAULT = Fault(
    broken=without_tcp,
    must=frozenset({"DNS-02"}),
    cause={"DNS-02": "opens port 53 for UDP only"},
)


def test_dns_service_without_tcp(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
