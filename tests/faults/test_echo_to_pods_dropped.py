"""Pods of one node cannot be pinged: its firewall drops what it forwards of ICMPv6 echo."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import packet_filter

pytestmark = pytest.mark.real_cluster
CHAIN = """
  type filter hook forward priority filter;
  icmpv6 type echo-request drop
"""


@contextmanager
def echo_dropped(cluster: Cluster, end: str) -> Iterator[None]:
    """Drop echo requests that a node forwards."""
    with packet_filter(f"{cluster.name}-{end}", chain=CHAIN):
        yield


def fault(end: str) -> Fault:
    """Return the fault of one node."""
    return Fault(
        broken=partial(echo_dropped, end=end),
        must=frozenset({"MTU-13"}),
        cause={"MTU-13": "ICMPv6 echo is filtered"},
    )


@pytest.mark.parametrize("end", ["control-plane", "worker"])
def test_echo_to_pods_dropped(ipv6_cluster: Cluster, tmp_path: Path, end: str) -> None:
    expect_red(fault(end), ipv6_cluster, tmp_path)
