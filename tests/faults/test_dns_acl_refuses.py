"""CoreDNS refuses the pods of one node: its access list lacks a range of pods."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, before_kubernetes, expect_red
from tests.real import kubectl

pytestmark = pytest.mark.real_cluster


@contextmanager
def refused(cluster: Cluster) -> Iterator[None]:
    """Block the worker's pods in CoreDNS."""
    node = f"{cluster.name}-worker"
    cidr = kubectl(cluster, "get", "node", node, "-o", "jsonpath={.spec.podCIDR}")
    with before_kubernetes(cluster, f"acl {{\n    block net {cidr}\n}}"):
        yield


FAULT = Fault(
    broken=refused,
    must=frozenset({"DNS-01"}),
    cause={"DNS-01": "the servers answer with an error"},
)


def test_dns_acl_refuses(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
