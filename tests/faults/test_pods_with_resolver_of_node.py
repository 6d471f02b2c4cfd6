"""A policy gives pods the DNS of their node: they find nothing of the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import admission
from tests.real import kubectl

pytestmark = pytest.mark.real_cluster
POLICY = """
  matchConstraints:
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}
  matchConditions:
  - {name: of-the-cluster, expression: 'object.spec.dnsPolicy == "ClusterFirst"'}
  reinvocationPolicy: Never
  mutations:
  - patchType: ApplyConfiguration
    applyConfiguration:
      expression: 'Object{spec: Object.spec{dnsPolicy: "Default"}}'
"""
POD = ("run", "ipv6k8s-fault", "--image=none", "--dry-run=server", "-o", "yaml")


@contextmanager
def resolver_of_node(cluster: Cluster) -> Iterator[None]:
    """Write Default into the dnsPolicy of each pod."""
    with admission(cluster, POLICY, lambda: "dnsPolicy: Default" in kubectl(cluster, *POD)):
        yield


FAULT = Fault(
    broken=resolver_of_node,
    must=frozenset({"DNS-03"}),
    cause={"DNS-03": "pods get the node's resolv.conf"},
)


def test_pods_with_resolver_of_node(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
