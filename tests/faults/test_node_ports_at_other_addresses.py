"""kube-proxy serves node ports at addresses that no node has: its list is old."""

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
def at_other_addresses(cluster: Cluster) -> Iterator[None]:
    """Change nodePortAddresses on every node."""
    with other_proxy(cluster, "nodePortAddresses", '["fd00:99::/64"]'):
        yield


FAULT = Fault(
    broken=at_other_addresses,
    must=frozenset({"LB-01"}),
    may=frozenset(),
    cause={"LB-01": "serves node ports at some of the node's addresses only"},
)


def test_node_ports_at_other_addresses(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
