"""CoreDNS' dns64 with translate_all replaces the records of the cluster's own names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import EXTERNAL_AREAS, Fault, before_kubernetes, expect_red
from tests.real import RealTestbed

pytestmark = pytest.mark.real_cluster
DNS64 = """
dns64 {
    prefix 2001:db8:64::/96
    translate_all
}
"""


@contextmanager
def translate_all(cluster: Cluster) -> Iterator[None]:
    """Put the plugin before the kubernetes plugin."""
    with before_kubernetes(cluster, DNS64):
        yield


FAULT = Fault(
    broken=translate_all,
    must=frozenset({"N64-13"}),
    may={
        "DNS-04": "names inside lose their own addresses",
        "DNS-18": "names outside lose their own addresses",
    },
    cause={"N64-13": "translate_all"},
)


def test_translate_all(ipv6_cluster: Cluster, ipv6_testbed: RealTestbed, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path, ipv6_testbed.option, *EXTERNAL_AREAS)
