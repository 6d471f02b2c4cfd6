"""DNS64 synthesises although there is a native AAAA record."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import EXTERNAL_AREAS, Fault, expect_red, other_named
from tests.real import RealTestbed

pytestmark = pytest.mark.real_cluster
CHANGE = "s|clients { any; };|clients { any; }; exclude { ::/0; };|"


@contextmanager
def native_aaaa_replaced(cluster: Cluster) -> Iterator[None]:
    """Let BIND ignore every AAAA record."""
    with other_named(cluster, CHANGE):
        yield


FAULT = Fault(
    broken=native_aaaa_replaced,
    must=frozenset({"DNS-18", "N64-06"}),
    cause={"DNS-18": "ignore real AAAA records"},
)


def test_native_aaaa_replaced(
    ipv6_cluster: Cluster, ipv6_testbed: RealTestbed, tmp_path: Path
) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path, ipv6_testbed.option, *EXTERNAL_AREAS)
