"""A policy of the cluster allows SingleStack alone, and rewrites Services that prefer both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import changed_services

pytestmark = pytest.mark.real_cluster
WHICH = 'object.spec.?ipFamilyPolicy.orValue("") in ["PreferDualStack", "RequireDualStack"]'
PATCH = '[JSONPatch{op: "replace", path: "/spec/ipFamilyPolicy", value: "SingleStack"}]'


@contextmanager
def made_single(cluster: Cluster) -> Iterator[None]:
    """Write SingleStack into Services that say something else."""
    spec = {"ipFamilyPolicy": "PreferDualStack"}
    with changed_services(cluster, WHICH, PATCH, spec, "ipFamilyPolicy: SingleStack"):
        yield


FAULT = Fault(
    broken=made_single,
    must=frozenset({"API-03", "API-04", "API-06", "API-15"}),
    cause={"API-03": "an admission webhook", "API-06": "an admission webhook"},
)


def test_services_made_single(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
