"""On one node of three a pod that is an endpoint of Services answers nobody, and is ready."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import EACH_NODE, Fault, expect_red
from tests.faults.inside import filtered_pods

pytestmark = pytest.mark.real_cluster
CHAIN = """
  chain input {
    type filter hook input priority filter;
    iifname eth0 meta l4proto { tcp, udp } th dport 8080-8085 drop
  }
"""


@contextmanager
def endpoint_dead(cluster: Cluster, node: str) -> Iterator[None]:
    """Drop what comes to the servers of a node's first probe, inside it, but for its loopback."""
    with filtered_pods([f"{cluster.name}-{node}"], "probe-0", family="inet", chain=CHAIN):
        yield


@pytest.mark.parametrize("node", EACH_NODE)
def test_one_endpoint_dead(three_nodes: Cluster, tmp_path: Path, node: str) -> None:
    fault = Fault(
        broken=partial(endpoint_dead, node=node),
        must=frozenset({"ADDR-15", "ADDR-16", "ADDR-17", "ADDR-34", "SVC-06", "SVC-11"}),
        cause={"ADDR-16": "a pod's own network"},
        node=node,
    )
    expect_red(fault, three_nodes, tmp_path, "-k", "ADDR- or SVC- or NODE- or EGR-")
