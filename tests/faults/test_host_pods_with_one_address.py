"""Host-network pods lose their second address (kubernetes/kubernetes#105320)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from pytest_ipv6k8s.waiting import wait_until
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import admission
from tests.real import kubectl

pytestmark = pytest.mark.real_cluster
POLICY = """
  matchConstraints:
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], operations: [UPDATE], resources: [pods/status]}
  matchConditions:
  - name: of-a-node
    expression: object.spec.?hostNetwork.orValue(false) == true
  - name: has-two
    expression: object.status.?podIPs.orValue([]).size() > 1
  reinvocationPolicy: Never
  mutations:
  - patchType: JSONPatch
    jsonPatch:
      expression: '[JSONPatch{op: "remove", path: "/status/podIPs/1"}]'
"""
TOUCH = ("--subresource=status", "--type=merge", "-p", '{"status": {"message": "touched"}}')
ADDRESSES = "{range .items[?(@.spec.hostNetwork==true)]}{.status.podIPs[*].ip}{'\\n'}{end}"


@contextmanager
def second_address_lost(cluster: Cluster) -> Iterator[None]:
    """Take the second address out of what is written of them."""
    pod = ("-n", "kube-system", f"pod/etcd-{cluster.name}-control-plane")

    def acts() -> bool:
        words = ("patch", *pod, *TOUCH, "--dry-run=server", "-o", "jsonpath={.status.podIPs[*].ip}")
        return len(kubectl(cluster, *words).split()) == 1

    def all_have_two() -> bool:
        pods = kubectl(cluster, "get", "pods", "-A", "-o", f"jsonpath={ADDRESSES}").splitlines()
        return all(len(addresses.split()) == 2 for addresses in pods)

    with admission(cluster, POLICY, acts):
        yield
    wait_until("the kubelets have written both", all_have_two, timeout=90, interval=1)


FAULT = Fault(
    broken=second_address_lost,
    must=frozenset({"ADDR-08"}),
    may={"SVC-04": "its host-network probes have no IPv6 address"},
    cause={},
)


def test_host_pods_with_one_address(dual_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, dual_cluster, tmp_path)
