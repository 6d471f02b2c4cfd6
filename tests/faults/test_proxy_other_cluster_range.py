"""kube-proxy has another range of pods and masquerades them (kubernetes/kops#11746)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import other_proxy

pytestmark = pytest.mark.real_cluster


@contextmanager
def other_range(cluster: Cluster) -> Iterator[None]:
    """Change clusterCIDR on every node."""
    with other_proxy(cluster, "clusterCIDR", "fd00:99::/56"):
        yield


FAULT = Fault(
    broken=other_range,
    must=frozenset({"EGR-05", "SVC-12"}),
    cause={
        "EGR-05": "cannot tell local traffic",
        "SVC-12": "its cluster range or local-traffic detection lacks this family",
    },
)


def test_proxy_other_cluster_range(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
