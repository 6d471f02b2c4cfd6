"""A node does not answer the neighbour solicitations of its pods for their gateway."""

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
  type filter hook input priority filter;
  iifname cni0 icmpv6 type nd-neighbor-solicit drop
"""


@contextmanager
def silent(cluster: Cluster, end: str) -> Iterator[None]:
    """Drop neighbour solicitations of pods."""
    with packet_filter(f"{cluster.name}-{end}", chain=CHAIN):
        yield


def fault(end: str) -> Fault:
    """Return the fault of one node."""
    return Fault(
        broken=partial(silent, end=end),
        must=frozenset({"ADDR-05"}),
        cause={"ADDR-05": "the gateway's address"},
    )


@pytest.mark.parametrize("end", ["control-plane", "worker"])
def test_gateway_silent(ipv6_cluster: Cluster, tmp_path: Path, end: str) -> None:
    expect_red(fault(end), ipv6_cluster, tmp_path)
