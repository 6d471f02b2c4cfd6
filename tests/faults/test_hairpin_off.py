"""On one node the ports of the bridge turn nothing back: no pod reaches itself by a Service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import kept

pytestmark = pytest.mark.real_cluster
PORTS = "for port in $(ls /sys/class/net/cni0/brif); do bridge link set dev $port hairpin {}; done"


@contextmanager
def hairpin_off(cluster: Cluster) -> Iterator[None]:
    """Take hairpin mode from each port of the worker's bridge, also from those that come."""
    with kept(f"{cluster.name}-worker", PORTS.format("off"), f"{PORTS.format('on')} || true"):
        yield


FAULT = Fault(
    broken=hairpin_off,
    must=frozenset({"SVC-05"}),
    may={"SVC-06": "a connection may be sent to the pod that makes it"},
    cause={"SVC-05": "hairpin mode is off on the bridge port"},
)


def test_hairpin_off_on_one_node(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
