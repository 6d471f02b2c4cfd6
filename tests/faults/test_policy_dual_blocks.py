"""A block of one family opens the other one, too: isolation is kept for the named family alone."""

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
    f" && {TO}.all(peer, has(peer.ipBlock) && peer.ipBlock.cidr.contains('.'))"
)
PATCH = '[JSONPatch{op: "add", path: "/spec/egress/0/to/-", value: {"ipBlock": {"cidr": "::/0"}}}]'
BLOCK = {"ipBlock": {"cidr": "192.0.2.0/24"}}


@contextmanager
def both_opened(cluster: Cluster) -> Iterator[None]:
    """Open all of IPv6 to those whose policies name IPv4 alone."""
    with changed_policies(cluster, WHICH, PATCH, {"egress": [{"to": [BLOCK]}]}, "cidr: ::/0"):
        yield


OTHER_FAMILY = "a pod's isolation is kept for one family only"
FAULT = Fault(
    broken=both_opened,
    must=frozenset({"POL-07", "POL-08"}),
    cause={"POL-07": OTHER_FAMILY},
)


def test_a_block_opens_the_other_family(
    dual_cilium_cluster: Cluster, dual_cilium_testbed: RealTestbed, tmp_path: Path
) -> None:
    expect_red(FAULT, dual_cilium_cluster, tmp_path, dual_cilium_testbed.option, *POLICY_AREA)
