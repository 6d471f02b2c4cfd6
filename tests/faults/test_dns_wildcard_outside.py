"""A provider's resolver answers for names that do not exist, with the address of its own page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import EXTERNAL_AREAS, Fault, expect_red, other_named
from tests.real import RealTestbed

pytestmark = pytest.mark.real_cluster
WILDCARD = "$ a * 300 IN A 198.51.100.20"


@contextmanager
def wildcard(cluster: Cluster) -> Iterator[None]:
    """Add a wildcard to the zone."""
    with other_named(cluster, WILDCARD, "ipv6k8s.test.zone"):
        yield


FAULT = Fault(
    broken=wildcard,
    must=frozenset({"N64-07"}),
    cause={"N64-07": "the resolver answers in the name"},
)


def test_dns_wildcard_outside(
    ipv6_cluster: Cluster, ipv6_testbed: RealTestbed, tmp_path: Path
) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path, ipv6_testbed.option, *EXTERNAL_AREAS)
