"""The resolver that CoreDNS forwards to has no DNS64 any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import EXTERNAL_AREAS, Fault, expect_red, other_named
from tests.real import RealTestbed

pytestmark = pytest.mark.real_cluster
CHANGE = "s|dns64 2001:db8:64::/96 .*||"


@contextmanager
def dns64_missing(cluster: Cluster) -> Iterator[None]:
    """Take the line out of BIND's configuration."""
    with other_named(cluster, CHANGE):
        yield


FAULT = Fault(
    broken=dns64_missing,
    must=frozenset({"N64-01"}),
    cause={"N64-01": "a resolver without DNS64"},
)


def test_dns64_missing(ipv6_cluster: Cluster, ipv6_testbed: RealTestbed, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path, ipv6_testbed.option, *EXTERNAL_AREAS)
