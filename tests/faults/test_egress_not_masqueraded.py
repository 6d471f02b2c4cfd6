"""The masquerade rule of one node is gone, and nobody routes pods back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import EXTERNAL_AREAS, Fault, expect_red, move_dns
from tests.real import RealTestbed, nodes_of, on_node

pytestmark = pytest.mark.real_cluster


@contextmanager
def masquerade_rule_gone(cluster: Cluster) -> Iterator[None]:
    """Take the CNI's chain out of POSTROUTING on the worker."""
    _, worker = nodes_of(cluster)
    rule = on_node(worker, "ip6tables -t nat -S POSTROUTING | grep FLANNEL-POSTRTG").strip()
    on_node(worker, f"pkill -STOP flanneld; ip6tables -t nat {rule.replace('-A', '-D', 1)}")
    try:
        yield
    finally:
        on_node(worker, f"ip6tables -t nat {rule}; pkill -CONT flanneld")


FAULT = Fault(
    broken=masquerade_rule_gone,
    must=frozenset({"EGR-01", "EGR-02", "EGR-14", "EGR-21"}),
    cause={"EGR-01": "does not masquerade IPv6"},
)


@pytest.mark.parametrize(
    "dns", [pytest.param("worker", id="with-dns"), pytest.param("control-plane", id="without-dns")]
)
def test_masquerade_rule_gone(
    ipv6_cluster: Cluster, ipv6_testbed: RealTestbed, tmp_path: Path, dns: str
) -> None:
    move_dns(ipv6_cluster, dns)
    expect_red(FAULT, ipv6_cluster, tmp_path, ipv6_testbed.option, *EXTERNAL_AREAS)
