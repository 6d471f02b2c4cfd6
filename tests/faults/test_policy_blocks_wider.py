"""A block of a NetworkPolicy opens all addresses of its family, whatever its length."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import POLICY_AREA, Fault, expect_red
from tests.faults.makers import changed_policies
from tests.real import RealTestbed

pytestmark = pytest.mark.real_cluster
TO = "object.spec.egress[0].to"
WHICH = (
    "object.spec.?egress.orValue([]).size() > 0 && object.spec.egress[0].?to.orValue([]).size() > 0"
    f" && {TO}.all(peer, has(peer.ipBlock) && !has(peer.ipBlock.except))"
    f" && {TO}.exists(peer, peer.ipBlock.cidr.contains(':'))"
)
PATCH = '[JSONPatch{op: "add", path: "/spec/egress/0/to/-", value: {"ipBlock": {"cidr": "::/0"}}}]'
BLOCK = {"ipBlock": {"cidr": "2001:db8::/64"}}


@contextmanager
def blocks_wider(cluster: Cluster) -> Iterator[None]:
    """Open all of IPv6 wherever a part of it is opened."""
    with changed_policies(cluster, WHICH, PATCH, {"egress": [{"to": [BLOCK]}]}, "cidr: ::/0"):
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
