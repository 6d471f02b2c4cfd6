"""A policy of the whole cluster, which no NetworkPolicy shows, isolates pods that it selects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import POLICY_AREA, Fault, expect_red
from tests.real import RealTestbed, kubectl

pytestmark = pytest.mark.real_cluster
POLICY = """
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {name: ipv6k8s-fault}
spec:
  endpointSelector: {matchLabels: {ipv6k8s/role: server}}
  ingress: [{}]
"""


@contextmanager
def isolated(cluster: Cluster) -> Iterator[None]:
    """Let nobody into the servers of a sandbox."""
    kubectl(cluster, "apply", "-f", "-", stdin=POLICY)
    try:
        yield
    finally:
        kubectl(cluster, "delete", "-f", "-", stdin=POLICY)


FAULT = Fault(
    broken=isolated,
    must=frozenset({"POL-00"}),
    cause={"POL-00": "a cluster-wide policy"},
)


def test_cluster_wide_policy(
    cilium_cluster: Cluster, cilium_testbed: RealTestbed, tmp_path: Path
) -> None:
    expect_red(FAULT, cilium_cluster, tmp_path, cilium_testbed.option, *POLICY_AREA)
