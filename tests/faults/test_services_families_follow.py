"""A webhook drops the families of Services that have an address: contradictions are not refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import changed_services

pytestmark = pytest.mark.real_cluster
WHICH = 'has(object.spec.ipFamilies) && object.spec.?clusterIP.orValue("") != ""'
PATCH = '[JSONPatch{op: "remove", path: "/spec/ipFamilies"}]'


@contextmanager
def families_dropped(cluster: Cluster) -> Iterator[None]:
    """Take the families out of Services with a cluster IP."""
    spec = {"clusterIP": "fd00:10:96::fff0", "ipFamilies": ["IPv4"]}
    with changed_services(cluster, WHICH, PATCH, spec, "fd00:10:96::fff0"):
        yield


FAULT = Fault(
    broken=families_dropped,
    must=frozenset({"API-13"}),
    cause={"API-13": "an admission webhook"},
)


def test_services_families_follow(dual_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, dual_cluster, tmp_path)
