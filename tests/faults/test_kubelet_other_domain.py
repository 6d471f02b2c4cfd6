"""The kubelet of one node has another cluster domain than CoreDNS: no short name is found there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import other_kubelet

pytestmark = pytest.mark.real_cluster
OTHER = "s/^clusterDomain: .*/clusterDomain: cluster.example/"


@contextmanager
def other_domain(cluster: Cluster) -> Iterator[None]:
    """Change clusterDomain of the worker."""
    with other_kubelet(cluster, f"{cluster.name}-worker", OTHER):
        yield


FAULT = Fault(
    broken=other_domain,
    must=frozenset({"DNS-03", "DNS-16", "NODE-01"}),
    cause={"DNS-03": "clusterDomain is not the cluster's"},
)


def test_other_domain(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
