"""Pods that start under a policy get no ICMPv6 neighbour discovery: default deny takes it, too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import POLICY_AREA, Fault, expect_red
from tests.faults.inside import filtered_pods
from tests.real import RealTestbed, nodes_of

pytestmark = pytest.mark.real_cluster
CHAIN = """
  chain input {
    type filter hook input priority filter;
    icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } drop
  }
"""


@contextmanager
def neighbour_discovery_dropped(cluster: Cluster) -> Iterator[None]:
    """Let no neighbour discovery into pods that start under a policy.

    Of a sandbox's pods only those that start while a policy stands are named after a check.
    """
    with filtered_pods(nodes_of(cluster), "pol-", family="ip6", chain=CHAIN):
        yield


DROPPED = "drops ICMPv6 neighbour discovery"
FAULT = Fault(
    broken=neighbour_discovery_dropped,
    must=frozenset({"POL-10", "POL-11"}),
    cause={"POL-10": DROPPED, "POL-11": DROPPED},
)


def test_default_deny_drops_neighbour_discovery(
    cilium_cluster: Cluster, cilium_testbed: RealTestbed, tmp_path: Path
) -> None:
    expect_red(FAULT, cilium_cluster, tmp_path, cilium_testbed.option, *POLICY_AREA)
