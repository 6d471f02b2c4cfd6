"""Router advertisements reach pods, and SLAAC gives them a second address (CVE-2020-10749)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.inside import changed_pods

pytestmark = pytest.mark.real_cluster
CHANGE = "ip addr add 2001:db8:bad::5/64 dev eth0 nodad"


@contextmanager
def address_added(cluster: Cluster) -> Iterator[None]:
    """Give a node's first probe an address that its podIPs lack."""
    with changed_pods([f"{cluster.name}-worker"], "probe-0", CHANGE):
        yield


FAULT = Fault(
    broken=address_added,
    must=frozenset({"ADDR-03", "ADDR-22"}),
    cause={"ADDR-03": "SLAAC adds an address"},
)


def test_pod_with_slaac_address(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
