"""A routing rule of a VPN is left on a node: what pods send is refused there."""

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
ADD = "ip -6 rule add iif cni0 unreachable"


@contextmanager
def rule_left(cluster: Cluster, end: str) -> Iterator[None]:
    """Refuse what comes from a node's bridge."""
    with undone(f"{cluster.name}-{end}", ADD, ADD.replace("add", "del")):
        yield


def fault(end: str) -> Fault:
    """Return the fault of one node."""
    return Fault(
        broken=partial(rule_left, end=end),
        must=frozenset({"ADDR-16"}),
        cause={"ADDR-16": "leads nowhere"},
    )


@pytest.mark.parametrize("end", ["control-plane", "worker"])
def test_routing_rule_left(ipv6_cluster: Cluster, tmp_path: Path, end: str) -> None:
    expect_red(fault(end), ipv6_cluster, tmp_path)
