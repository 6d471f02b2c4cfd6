"""A node forwards no IPv6: net.ipv6.conf.all.forwarding was reset, as sysctl files and tools do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import kept

pytestmark = pytest.mark.real_cluster
SET = "sysctl -q -w net.ipv6.conf.all.forwarding={}"


@contextmanager
def forwarding_off(cluster: Cluster, end: str) -> Iterator[None]:
    """Switch it off again and again: the bridge plugin switches it on with each pod."""
    with kept(f"{cluster.name}-{end}", SET.format(0), SET.format(1)):
        yield


def fault(end: str) -> Fault:
    """Return the fault of one node."""
    return Fault(
        broken=partial(forwarding_off, end=end),
        must=frozenset({"ADDR-16"}),
        cause={"ADDR-16": "forwarding off"},
    )


@pytest.mark.parametrize("end", ["control-plane", "worker"])
def test_forwarding_off(ipv6_cluster: Cluster, tmp_path: Path, end: str) -> None:
    expect_red(fault(end), ipv6_cluster, tmp_path)
