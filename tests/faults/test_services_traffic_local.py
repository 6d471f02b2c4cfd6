"""A policy sets internalTrafficPolicy to Local: nodes without an endpoint drop connections."""

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
    'object.spec.?type.orValue("") != "ExternalName"'
    ' && object.spec.?clusterIP.orValue("") != "None"'
)
PATCH = '[JSONPatch{op: "add", path: "/spec/internalTrafficPolicy", value: "Local"}]'


@contextmanager
def traffic_local(cluster: Cluster) -> Iterator[None]:
    """Write Local into each Service."""
    with changed_services(cluster, WHICH, PATCH, {}, "internalTrafficPolicy: Local"):
        yield


FAULT = Fault(
    broken=traffic_local,
    must=frozenset({"SVC-01", "SVC-06"}),
    cause={"SVC-06": "a topology preference is forced by policy"},
)


def test_services_traffic_local(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
