"""A webhook drops the dual-stack fields of Services: its library does not know them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import changed_services

pytestmark = pytest.mark.real_cluster
WHICH = "true"
PATCH = (
    '(has(object.spec.ipFamilies) ? [JSONPatch{op: "remove", path: "/spec/ipFamilies"}] : [])'
    " + (has(object.spec.ipFamilyPolicy)"
    ' ? [JSONPatch{op: "remove", path: "/spec/ipFamilyPolicy"}] : [])'
    ' + (has(object.spec.clusterIPs) ? [JSONPatch{op: "remove", path: "/spec/clusterIPs"}] : [])'
)


@contextmanager
def fields_lost(cluster: Cluster) -> Iterator[None]:
    """Take three fields out of each Service."""
    spec = {"ipFamilyPolicy": "PreferDualStack"}
    with changed_services(cluster, WHICH, PATCH, spec, "ipFamilyPolicy: SingleStack"):
        yield


FAULT = Fault(
    broken=fields_lost,
    must=frozenset(
        {
            "API-02",
            "API-03",
            "API-04",
            "API-06",
            "API-11",
            "API-12",
            "API-14",
            "API-15",
            "API-16",
            "API-17",
        }
    ),
    cause={"API-03": "an admission webhook"},
)


def test_services_lose_fields(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
