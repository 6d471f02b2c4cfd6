"""An admission policy writes PreferDualStack over what Services say themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import changed_services

pytestmark = pytest.mark.real_cluster
WHICH = 'object.spec.?type.orValue("") != "ExternalName"'
PATCH = '[JSONPatch{op: "add", path: "/spec/ipFamilyPolicy", value: "PreferDualStack"}]'


@contextmanager
def all_preferring(cluster: Cluster) -> Iterator[None]:
    """Write PreferDualStack into each Service."""
    spec = {"ipFamilyPolicy": "SingleStack"}
    with changed_services(cluster, WHICH, PATCH, spec, "ipFamilyPolicy: PreferDualStack"):
        yield


FAULT = Fault(
    broken=all_preferring,
    must=frozenset(
        {
            "API-01",
            "API-02",
            "API-05",
            "API-07",
            "API-08",
            "API-09",
            "API-10",
            "API-14",
            "API-15",
            "API-16",
            "SVC-10",
        }
    ),
    cause={"API-01": "an admission webhook", "SVC-10": "an admission webhook"},
)


def test_services_preferring_both(dual_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, dual_cluster, tmp_path)
