"""An admission policy takes the holes out of IPv6 blocks: what is enforced is not as written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from pytest_ipv6k8s.waiting import wait_until
from tests.faults.fault import POLICY_AREA, Fault, expect_red
from tests.real import RealTestbed, kubectl

pytestmark = pytest.mark.real_cluster
NAME = "ipv6k8s-fault"
ADMISSION = """
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: ipv6k8s-fault}
spec:
  matchConstraints:
    resourceRules:
    - apiGroups: [networking.k8s.io]
      apiVersions: [v1]
      operations: [CREATE]
      resources: [networkpolicies]
  matchConditions:
  - name: has-a-hole
    expression: >-
      object.spec.?egress.orValue([]).size() > 0
      && object.spec.egress[0].?to.orValue([]).size() > 0
      && has(object.spec.egress[0].to[0].ipBlock)
      && has(object.spec.egress[0].to[0].ipBlock.except)
  reinvocationPolicy: Never
  mutations:
  - patchType: JSONPatch
    jsonPatch:
      expression: '[JSONPatch{op: "remove", path: "/spec/egress/0/to/0/ipBlock/except"}]'
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {name: ipv6k8s-fault}
spec: {policyName: ipv6k8s-fault}
"""
HOLE = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: ipv6k8s-fault, namespace: default}
spec:
  podSelector: {matchLabels: {app: none}}
  policyTypes: [Egress]
  egress: [{to: [{ipBlock: {cidr: "::/0", except: ["2001:db8::/32"]}}]}]
"""


def _has_hole(cluster: Cluster) -> bool:
    made = kubectl(
        cluster, "create", "--dry-run=server", "-o", "yaml", "-f", "-", stdin=HOLE, timeout=30
    )
    return "except" in made


@contextmanager
def holes_dropped(cluster: Cluster) -> Iterator[None]:
    """Take `except` out of egress blocks before they are validated, until the end."""
    kubectl(cluster, "apply", "-f", "-", stdin=ADMISSION)
    try:
        wait_until("holes are dropped", lambda: not _has_hole(cluster), timeout=30, interval=1)
        yield
    finally:
        kubectl(cluster, "delete", "-f", "-", stdin=ADMISSION)
        wait_until("holes are kept", lambda: _has_hole(cluster), timeout=30, interval=1)


FAULT = Fault(
    broken=holes_dropped,
    must=frozenset({"POL-06", "POL-13"}),
    may=frozenset(),
    cause={
        "POL-06": "the API server's admission dropped it",
        "POL-13": "repairs or rewrites blocks before they are validated",
    },
)


def test_holes_of_ipv6_blocks_are_dropped(
    cilium_cluster: Cluster, cilium_testbed: RealTestbed, tmp_path: Path
) -> None:
    expect_red(FAULT, cilium_cluster, tmp_path, cilium_testbed.option, *POLICY_AREA)
