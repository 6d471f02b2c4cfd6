"""A node's firewall drops what it forwards, as Docker's does: the chain FORWARD of ip6tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import undone

pytestmark = pytest.mark.real_cluster
DROP = "pkill -STOP flanneld; ip6tables -P FORWARD DROP; ip6tables -F FLANNEL-FWD"
REASON = "NETFILTER_DROP, table ip6 filter, chain FORWARD, policy drop"
ACCEPT = "ip6tables -P FORWARD ACCEPT; pkill -CONT flanneld"


@contextmanager
def forward_dropped(cluster: Cluster, end: str) -> Iterator[None]:
    """Set the policy and hold flanneld, which would accept its own network, still."""
    with undone(f"{cluster.name}-{end}", DROP, ACCEPT):
        yield


def fault(end: str) -> Fault:
    """Return the fault of one node."""
    return Fault(
        broken=partial(forward_dropped, end=end),
        must=frozenset({"ADDR-15", "ADDR-16"}),
        cause={"ADDR-16": "security group, firewall"},
        died=f"on node .*{end}, after .*: {REASON}",
    )


@pytest.mark.parametrize("end", ["control-plane", "worker"])
def test_forward_policy_drop(ipv6_cluster: Cluster, tmp_path: Path, end: str) -> None:
    expect_red(fault(end), ipv6_cluster, tmp_path)
