"""The CNI of one of three nodes fails for each new pod: its daemon is dead, or has no address left.

The node stays Ready, for the kubelet looks for a configuration only.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import EACH_NODE, Fault, expect_red
from tests.faults.makers import failing_cni

pytestmark = pytest.mark.real_cluster


@pytest.mark.parametrize("end", EACH_NODE)
def test_cni_of_one_node_fails(three_nodes: Cluster, tmp_path: Path, end: str) -> None:
    node = f"{three_nodes.name}-{end}"
    fault = Fault(
        broken=lambda cluster: failing_cni(node),
        must=frozenset({"ADDR-01"}),
        cause={"ADDR-01": "the CNI's plugin or its IPAM fails on that node"},
        node=end,
    )
    expect_red(fault, three_nodes, tmp_path)
