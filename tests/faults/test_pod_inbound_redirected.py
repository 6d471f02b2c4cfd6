"""A sidecar's rules send what comes to pods of one node to a port that is closed in IPv6."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.inside import changed_pods

pytestmark = pytest.mark.real_cluster
CHANGE = """
nft -f - <<'RULES'
table ip6 ipv6k8s_fault {
  chain inbound {
    type nat hook prerouting priority dstnat;
    meta l4proto tcp redirect to :15006
  }
}
RULES
"""


@contextmanager
def inbound_redirected(cluster: Cluster) -> Iterator[None]:
    """Redirect TCP that comes to a node's first probe to a port where nobody listens."""
    with changed_pods([f"{cluster.name}-worker"], "probe-0", CHANGE):
        yield


FAULT = Fault(
    broken=inbound_redirected,
    must=frozenset({"ADDR-15", "ADDR-16"}),
    cause={"ADDR-16": "a pod's own network"},
)


def test_pod_inbound_redirected(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
