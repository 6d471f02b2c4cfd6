"""Packet-too-big for a Service's answers is dropped: it is not translated (cilium/cilium#16080)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import EXTERNAL_AREAS, Fault, expect_red
from tests.faults.makers import packet_filter
from tests.real import RealTestbed, nodes_of

pytestmark = pytest.mark.real_cluster
CHAIN = """
  type filter hook prerouting priority filter;
  icmpv6 type packet-too-big ct status dnat drop
"""


@contextmanager
def too_big_dropped(cluster: Cluster) -> Iterator[None]:
    """Drop such messages of connections that the Service proxy translates."""
    with packet_filter(*nodes_of(cluster), chain=CHAIN):
        yield


FAULT = Fault(
    broken=too_big_dropped,
    must=frozenset({"MTU-08"}),
    may=frozenset(),
    cause={"MTU-08": "packet-too-big"},
)


def test_service_too_big_dropped(
    ipv6_cluster: Cluster, ipv6_testbed: RealTestbed, tmp_path: Path
) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path, ipv6_testbed.option, *EXTERNAL_AREAS)
