"""An injector that knows status.podIP alone writes it where pods ask for all of their addresses."""

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
  - name: asks-for-all
    expression: >-
      object.spec.containers[0].?env.orValue([]).exists(e, e.name == "POD_IPS")
  reinvocationPolicy: Never
  mutations:
  - patchType: JSONPatch
    jsonPatch:
      expression: >-
        [0, 1, 2, 3, 4, 5, 6, 7].filter(i, i < size(object.spec.containers[0].env)
          && object.spec.containers[0].env[i].name == "POD_IPS").map(i, JSONPatch{
            op: "replace", value: "status.podIP",
            path: "/spec/containers/0/env/" + string(i) + "/valueFrom/fieldRef/fieldPath"})
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: ipv6k8s-fault, namespace: default}
spec:
  containers:
  - name: none
    image: none
    env: [{name: POD_IPS, valueFrom: {fieldRef: {fieldPath: status.podIPs}}}]
"""


@contextmanager
def told_one_address(cluster: Cluster) -> Iterator[None]:
    """Replace the field that POD_IPS of each pod comes from."""

    def acts() -> bool:
        made = ("create", "--dry-run=server", "-o", "yaml", "-f", "-")
        return "status.podIPs" not in kubectl(cluster, *made, stdin=POD)

    with admission(cluster, POLICY, acts):
        yield


FAULT = Fault(
    broken=told_one_address,
    must=frozenset({"ADDR-07"}),
    cause={"ADDR-07": "admission rewrites the environment"},
)


def test_pods_told_one_address(dual_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, dual_cluster, tmp_path)
