"""A node masquerades with an address that is deprecated: it was renumbered."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import EXTERNAL_AREAS, Fault, expect_red
from tests.faults.makers import packet_filter, undone
from tests.real import RealTestbed, kubectl

pytestmark = pytest.mark.real_cluster
CHAIN = """
  type nat hook postrouting priority srcnat - 5;
  ip6 saddr fd00:10:244::/56 ip6 daddr 2001:db8::/32 snat to {address}
"""
INTERNAL = "jsonpath={.status.addresses[?(@.type=='InternalIP')].address}"


@contextmanager
def deprecated_source(cluster: Cluster) -> Iterator[None]:
    """Give the worker a deprecated address, and masquerade pods with it."""
    node = f"{cluster.name}-worker"
    own = ipaddress.ip_interface(kubectl(cluster, "get", "node", node, "-o", INTERNAL) + "/64")
    address = str(own.network[0xDEAD])
    add = f"ip -6 addr add {address}/64 dev eth0 preferred_lft 0 nodad"
    filtered = packet_filter(node, chain=CHAIN.format(address=address))
    with undone(node, add, f"ip -6 addr del {address}/64 dev eth0"), filtered:
        yield


FAULT = Fault(
    broken=deprecated_source,
    must=frozenset({"EGR-04"}),
    may={"EGR-12": "the other source is a ULA, and not in the API"},
    cause={"EGR-04": "a deprecated or temporary one"},
)


def test_egress_deprecated_source(
    ipv6_cluster: Cluster, ipv6_testbed: RealTestbed, tmp_path: Path
) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path, ipv6_testbed.option, *EXTERNAL_AREAS)
