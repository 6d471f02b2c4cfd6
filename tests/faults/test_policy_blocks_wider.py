"""A block of a NetworkPolicy opens all addresses of its family, whatever its length."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import POLICY_AREA, Fault, expect_red
from tests.faults.makers import all_ipv6_opened
from tests.real import RealTestbed

pytestmark = pytest.mark.real_cluster
PEERS = (
    "{peers}.all(peer, !has(peer.ipBlock.except))"
    " && {peers}.exists(peer, peer.ipBlock.cidr.contains(':'))"
)


@contextmanager
def blocks_wider(cluster: Cluster) -> Iterator[None]:
    """Open all of IPv6 wherever a part of it is opened."""
    with all_ipv6_opened(cluster, PEERS, "2001:db8::/64"):
        yield


FAULT = Fault(
    broken=blocks_wider,
    must=frozenset({"POL-05"}),
    cause={"POL-05": "does not program IPv6 blocks"},
)


def test_blocks_are_wider(
    cilium_cluster: Cluster, cilium_testbed: RealTestbed, tmp_path: Path
) -> None:
    expect_red(FAULT, cilium_cluster, tmp_path, cilium_testbed.option, *POLICY_AREA)
