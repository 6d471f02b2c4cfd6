"""An admission policy makes each Service dual-stack that does not say what it wants."""

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
    - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [services]}
  matchConditions:
  - {name: has-an-address, expression: 'object.spec.?type.orValue("") != "ExternalName"'}
  - {name: says-nothing, expression: "!has(object.spec.ipFamilyPolicy)"}
  reinvocationPolicy: Never
  mutations:
  - patchType: ApplyConfiguration
    applyConfiguration:
      expression: 'Object{spec: Object.spec{ipFamilyPolicy: "PreferDualStack"}}'
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: ipv6k8s-fault, namespace: default}
spec: {ports: [{port: 80}]}
"""


@contextmanager
def made_dual(cluster: Cluster) -> Iterator[None]:
    """Write PreferDualStack into each Service without a policy."""

    def is_dual() -> bool:
        made = ("create", "--dry-run=server", "-o", "yaml", "-f", "-")
        return "PreferDualStack" in kubectl(cluster, *made, stdin=SERVICE)

    with admission(cluster, POLICY, is_dual):
        yield


FAULT = Fault(
    broken=made_dual,
    must=frozenset({"API-01", "API-02", "API-07", "API-09", "API-15", "API-16"}),
    cause={"API-01": "an admission webhook"},
)


def test_services_made_dual(dual_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, dual_cluster, tmp_path)
