"""DNS64 synthesises although there is a native AAAA record."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters import Cluster
from tests.faults.fault import OUTSIDE_AREAS, Fault, prove
from tests.real import OutsideWorld, in_outside

pytestmark = pytest.mark.real_cluster
CHANGE = "s|clients { any; };|clients { any; }; exclude { ::/0; };|"


@contextmanager
def native_aaaa_replaced(cluster: Cluster) -> Iterator[None]:
    """Let BIND ignore every AAAA record."""
    file = "/ipv6k8s/servers/named.conf"
    in_outside(cluster, f"cp {file} {file}.healthy; sed -i '{CHANGE}' {file}; pkill -HUP named")
    try:
        yield
    finally:
        in_outside(cluster, f"mv {file}.healthy {file}; pkill -HUP named")


FAULT = Fault(
    broken=native_aaaa_replaced,
    must=frozenset({"N64-06"}),
    may=frozenset({"DNS-18"}),
    cause={},
)


def test_native_aaaa_replaced(
    ipv6_cluster: Cluster, ipv6_outside: OutsideWorld, tmp_path: Path
) -> None:
    prove(FAULT, ipv6_cluster, tmp_path, ipv6_outside.option, *OUTSIDE_AREAS)
