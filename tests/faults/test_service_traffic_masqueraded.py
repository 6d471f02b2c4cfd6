"""kube-proxy takes traffic of pods to Services for foreign and masquerades it (kops#11746).

Its clusterCIDR lacks the IPv6 range, or masqueradeAll is set; pods that talk to pods directly keep
their address.
"""

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
  type nat hook postrouting priority 90;
  ip6 saddr fd00:10:244::/56 ct status dnat masquerade
"""


@contextmanager
def masqueraded(cluster: Cluster, end: str) -> Iterator[None]:
    """Masquerade what a Service translated."""
    with packet_filter(f"{cluster.name}-{end}", chain=CHAIN):
        yield


def fault(end: str) -> Fault:
    """Return the fault of one node."""
    return Fault(
        broken=partial(masqueraded, end=end),
        must=frozenset({"EGR-05", "SVC-12"}),
        cause={"SVC-12": "masqueradeAll", "EGR-05": "cannot tell local traffic"},
    )


@pytest.mark.parametrize("end", ["control-plane", "worker"])
def test_service_traffic_masqueraded(ipv6_cluster: Cluster, tmp_path: Path, end: str) -> None:
    expect_red(fault(end), ipv6_cluster, tmp_path)
