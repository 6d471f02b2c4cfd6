"""A firewall lets nodes to the API server, and not the pods of one node: it knows no pod range."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import packet_filter

pytestmark = pytest.mark.real_cluster
CHAIN = """
  type filter hook forward priority filter;
  iifname cni0 tcp dport 6443 tcp flags & (syn | ack) == syn drop
"""


@contextmanager
def closed(cluster: Cluster) -> Iterator[None]:
    """Drop new connections of the worker's pods to the API server."""
    with packet_filter(f"{cluster.name}-worker", chain=CHAIN):
        yield


FAULT = Fault(
    broken=closed,
    must=frozenset({"NODE-01"}),
    cause={"NODE-01": "the way from pods to the control plane's node"},
)


def test_api_closed_to_pods(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
