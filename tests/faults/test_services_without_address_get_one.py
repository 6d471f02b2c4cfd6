"""A webhook repairs node ports without a cluster IP: the error never reaches who wrote them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import changed_services

pytestmark = pytest.mark.real_cluster
WHICH = (
    'object.spec.?type.orValue("") in ["NodePort", "LoadBalancer"]'
    ' && object.spec.?clusterIP.orValue("") == "None"'
)
PATCH = (
    '[JSONPatch{op: "remove", path: "/spec/clusterIP"}]'
    ' + (has(object.spec.clusterIPs) ? [JSONPatch{op: "remove", path: "/spec/clusterIPs"}] : [])'
)


@contextmanager
def repaired(cluster: Cluster) -> Iterator[None]:
    """Take None out of Services that need an address."""
    spec = {"type": "NodePort", "clusterIP": "None"}
    with changed_services(cluster, WHICH, PATCH, spec, "type: NodePort"):
        yield


FAULT = Fault(
    broken=repaired,
    must=frozenset({"API-18"}),
    cause={"API-18": "an admission webhook"},
)


def test_services_get_an_address(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
