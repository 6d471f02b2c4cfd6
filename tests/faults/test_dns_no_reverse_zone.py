"""The Corefile has no reverse zone for IPv6: PTR records of cluster IPs are asked upstream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red, other_corefile

pytestmark = pytest.mark.real_cluster


@contextmanager
def no_reverse_zone(cluster: Cluster) -> Iterator[None]:
    """Take ip6.arpa from the kubernetes plugin."""
    with other_corefile(cluster, lambda text: text.replace(" ip6.arpa", "")):
        yield


FAULT = Fault(
    broken=no_reverse_zone,
    must=frozenset({"DNS-11"}),
    cause={"DNS-11": "lack ip6.arpa"},
)


def test_no_reverse_zone(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
