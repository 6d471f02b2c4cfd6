"""A block of one family opens the other one, too: isolation is kept for the named family alone."""

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
PEERS = "{peers}.all(peer, peer.ipBlock.cidr.contains('.'))"


@contextmanager
def both_opened(cluster: Cluster) -> Iterator[None]:
    """Open all of IPv6 to those whose policies name IPv4 alone."""
    with all_ipv6_opened(cluster, PEERS, "192.0.2.0/24"):
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
