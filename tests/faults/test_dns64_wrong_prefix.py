"""DNS64 synthesises with a prefix that no gateway translates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import EXTERNAL_AREAS, Fault, expect_red, other_named
from tests.real import RealTestbed

pytestmark = pytest.mark.real_cluster
CHANGE = "s|dns64 2001:db8:64::/96|dns64 2001:db8:6464::/96|"


@contextmanager
def wrong_prefix(cluster: Cluster) -> Iterator[None]:
    """Give BIND another prefix."""
    with other_named(cluster, CHANGE):
        yield


FAULT = Fault(
    broken=wrong_prefix,
    must=frozenset({"N64-01", "N64-05"}),
    cause={"N64-05": "the DNS64 prefix is not the gateway's"},
)


def test_wrong_prefix(ipv6_cluster: Cluster, ipv6_testbed: RealTestbed, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path, ipv6_testbed.option, *EXTERNAL_AREAS)
