"""The kubelet names a second nameserver, which nobody serves (node-local-dns#39)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import other_kubelet

pytestmark = pytest.mark.real_cluster
SECOND = "s/^- fd00:10:96::a$/&\\n- fd00:10:96::dead/"


@contextmanager
def dead_nameserver(cluster: Cluster) -> Iterator[None]:
    """Name a second address in clusterDNS of the worker."""
    with other_kubelet(cluster, f"{cluster.name}-worker", SECOND):
        yield


FAULT = Fault(
    broken=dead_nameserver,
    must=frozenset({"DNS-01"}),
    cause={"DNS-01": "names an address where no DNS Service is"},
)


def test_dead_nameserver(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
