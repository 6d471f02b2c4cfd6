"""Cilium takes NetworkPolicies and enforces none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import POLICY_AREA, Fault, expect_red
from tests.real import RealTestbed, kubectl

pytestmark = pytest.mark.real_cluster


def _set_enforcement(cluster: Cluster, mode: str) -> None:
    """Set the mode of every agent; it heeds it at once, and forgets it when it starts anew."""
    agents = ("-n", "kube-system", "get", "pods", "-l", "k8s-app=cilium", "-o", "name")
    for agent in kubectl(cluster, *agents).split():
        words = ("cilium-dbg", "config", f"PolicyEnforcement={mode}")
        kubectl(cluster, "-n", "kube-system", "exec", agent, "-c", "cilium-agent", "--", *words)


@contextmanager
def enforcement_off(cluster: Cluster) -> Iterator[None]:
    """Switch enforcement off on every node, and on again afterwards."""
    _set_enforcement(cluster, "never")
    try:
        yield
    finally:
        _set_enforcement(cluster, "default")


NOT_ENFORCED = "NetworkPolicy is not enforced"
FAULT = Fault(
    broken=enforcement_off,
    must=frozenset({"POL-01"}),
    cause={"POL-01": NOT_ENFORCED},
)


def test_policies_are_not_enforced(
    cilium_cluster: Cluster, cilium_testbed: RealTestbed, tmp_path: Path
) -> None:
    expect_red(FAULT, cilium_cluster, tmp_path, cilium_testbed.option, *POLICY_AREA)
