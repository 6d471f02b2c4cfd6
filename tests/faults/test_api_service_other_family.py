"""The Service of the API server was made anew in the other family than its endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from pytest_ipv6k8s.waiting import wait_until
from tests.faults.fault import Fault, expect_red
from tests.real import kubectl

pytestmark = pytest.mark.real_cluster
SERVICE = """
apiVersion: v1
kind: Service
metadata:
  name: kubernetes
  namespace: default
  labels: {component: apiserver, provider: kubernetes}
spec:
  clusterIP: fd00:10:96::1
  clusterIPs: ["fd00:10:96::1"]
  ipFamilies: [IPv6]
  ipFamilyPolicy: SingleStack
  ports: [{name: https, port: 443, targetPort: 6443}]
"""
WHICH = ("service", "kubernetes", "-n", "default")
ADDRESS = "jsonpath={.spec.clusterIP}"


@contextmanager
def other_family(cluster: Cluster) -> Iterator[None]:
    """Replace the Service; the API server makes its own when it has gone."""

    def has_ipv4() -> bool:
        address = kubectl(cluster, "get", *WHICH, "--ignore-not-found", "-o", ADDRESS)
        return "." in address

    try:
        kubectl(cluster, "replace", "--force", "-f", "-", stdin=SERVICE)
        yield
    finally:
        kubectl(cluster, "delete", *WHICH)
        wait_until("the API server makes its Service", has_ipv4, timeout=60, interval=1)


FAULT = Fault(
    broken=other_family,
    must=frozenset({"API-22", "NODE-01", "NODE-02"}),
    cause={"NODE-02": "--advertise-address is of another family"},
)


def test_api_service_other_family(dual_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, dual_cluster, tmp_path)
