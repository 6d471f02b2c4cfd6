"""The kubelet gives pods of an IPv6-only cluster an IPv4 nameserver, too (k3s-io/k3s#10575)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import other_kubelet

pytestmark = pytest.mark.real_cluster
SECOND = "s/^- fd00:10:96::a$/&\\n- 10.96.0.10/"


@contextmanager
def ipv4_nameserver(cluster: Cluster) -> Iterator[None]:
    """Name a second address in clusterDNS of the worker."""
    with other_kubelet(cluster, f"{cluster.name}-worker", SECOND):
        yield


FAULT = Fault(
    broken=ipv4_nameserver,
    must=frozenset({"DNS-01", "DNS-03"}),
    cause={"DNS-03": "names an address of a family that the pods lack"},
)


def test_ipv4_nameserver(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
