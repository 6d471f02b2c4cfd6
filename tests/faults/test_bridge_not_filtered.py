"""On one node ip6tables does not see what the bridge carries: bridge-nf-call-ip6tables is 0.

A Service whose endpoint is on the client's node is answered past the connection table, and nobody
translates the answer back (kubernetes/kubernetes#53013).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red, move_dns
from tests.faults.makers import sysctl

pytestmark = pytest.mark.real_cluster


@contextmanager
def bridge_not_filtered(cluster: Cluster, end: str) -> Iterator[None]:
    """Reset the switch; net.bridge.bridge-nf-call-iptables stays as it is."""
    with sysctl(f"{cluster.name}-{end}", "net.bridge.bridge-nf-call-ip6tables", 0):
        yield


# What is asked through a Service has its endpoint on the control plane's node.
RED = {"control-plane": "SVC-01", "worker": "SVC-06"}
"""A server that runs on the client's node answers in vain."""


def fault(end: str) -> Fault:
    """Return the fault of one node."""
    return Fault(
        broken=partial(bridge_not_filtered, end=end),
        must=frozenset({RED[end]}),
        cause={"SVC-01": "bridge-nf-call-ip6tables is 0"},
    )


@pytest.mark.parametrize("end", ["control-plane", "worker"])
def test_bridge_not_filtered(ipv6_cluster: Cluster, tmp_path: Path, end: str) -> None:
    move_dns(ipv6_cluster, "control-plane")  # a server on the worker answers there in vain, too
    expect_red(fault(end), ipv6_cluster, tmp_path)
