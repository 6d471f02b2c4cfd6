"""DNS64 synthesises with a prefix that no gateway translates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters import Cluster
from tests.faults.fault import OUTSIDE_AREAS, Fault, prove
from tests.real import OutsideWorld, in_outside

pytestmark = pytest.mark.real_cluster
CHANGE = "s|dns64 2001:db8:64::/96|dns64 2001:db8:6464::/96|"


@contextmanager
def wrong_prefix(cluster: Cluster) -> Iterator[None]:
    """Give BIND another prefix."""
    file = "/ipv6k8s/servers/named.conf"
    in_outside(cluster, f"cp {file} {file}.healthy; sed -i '{CHANGE}' {file}; pkill -HUP named")
    try:
        yield
    finally:
        in_outside(cluster, f"mv {file}.healthy {file}; pkill -HUP named")


FAULT = Fault(
    broken=wrong_prefix,
    must=frozenset({"N64-05"}),
    may=frozenset({"N64-01", "N64-11"}),
    cause={},
)


def test_wrong_prefix(ipv6_cluster: Cluster, ipv6_outside: OutsideWorld, tmp_path: Path) -> None:
    prove(FAULT, ipv6_cluster, tmp_path, ipv6_outside.option, *OUTSIDE_AREAS)
