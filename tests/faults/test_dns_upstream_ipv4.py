"""CoreDNS of an IPv6-only cluster forwards to an IPv4 address (kubernetes-sigs/kind#3114)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import EXTERNAL_AREAS, Fault, expect_red, other_corefile
from tests.real import RealTestbed

pytestmark = pytest.mark.real_cluster


@contextmanager
def upstream_ipv4(cluster: Cluster) -> Iterator[None]:
    """Forward to the same resolver by its IPv4 address."""
    with other_corefile(
        cluster, lambda text: re.sub(r"forward \. \S+", "forward . 192.0.2.53", text)
    ):
        yield


FAULT = Fault(
    broken=upstream_ipv4,
    must=frozenset({"DNS-19"}),
    cause={"DNS-19": "of a family that its pods do not have"},
)


def test_dns_upstream_ipv4(
    ipv6_cluster: Cluster, ipv6_testbed: RealTestbed, tmp_path: Path
) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path, ipv6_testbed.option, *EXTERNAL_AREAS)
