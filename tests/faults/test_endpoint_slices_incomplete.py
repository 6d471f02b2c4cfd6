"""EndpointSlices of IPv6 lack a pod: something rewrites them on their way (istio/ztunnel#1152)."""

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
    - apiGroups: [discovery.k8s.io]
      apiVersions: [v1]
      operations: [CREATE, UPDATE]
      resources: [endpointslices]
  matchConditions:
  - name: several-of-ipv6
    expression: object.addressType == "IPv6" && object.?endpoints.orValue([]).size() > 1
  reinvocationPolicy: Never
  mutations:
  - patchType: JSONPatch
    jsonPatch:
      expression: '[JSONPatch{op: "remove", path: "/endpoints/1"}]'
"""
SLICE = """
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ipv6k8s-fault, namespace: default}
addressType: IPv6
endpoints: [{addresses: ["2001:db8::1"]}, {addresses: ["2001:db8::2"]}]
"""


@contextmanager
def incomplete(cluster: Cluster) -> Iterator[None]:
    """Take the second endpoint out of what is written."""
    made = ("create", "--dry-run=server", "-o", "yaml", "-f", "-")

    def acts() -> bool:
        return "2001:db8::2" not in kubectl(cluster, *made, stdin=SLICE)

    with admission(cluster, POLICY, acts):
        yield


FAULT = Fault(
    broken=incomplete,
    must=frozenset({"DNS-08", "SVC-06", "SVC-07"}),
    cause={"SVC-07": "something rewrites EndpointSlices"},
)


def test_endpoint_slices_incomplete(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
