"""A hosts list in CoreDNS has IPv4 addresses alone and hides AAAA records (k3s-io/k3s#9551)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import EXTERNAL_AREAS, Fault, before_kubernetes, expect_red
from tests.real import RealTestbed

pytestmark = pytest.mark.real_cluster
HOSTS = """
hosts {
    198.51.100.10 dual.ipv6k8s.test
    fallthrough
}
"""


@contextmanager
def aaaa_hidden(cluster: Cluster) -> Iterator[None]:
    """Put such a list before the kubernetes plugin."""
    with before_kubernetes(cluster, HOSTS):
        yield


FAULT = Fault(
    broken=aaaa_hidden,
    must=frozenset({"DNS-18"}),
    cause={"DNS-18": "a hosts or template block"},
)


def test_hosts_hide_aaaa(ipv6_cluster: Cluster, ipv6_testbed: RealTestbed, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path, ipv6_testbed.option, *EXTERNAL_AREAS)
