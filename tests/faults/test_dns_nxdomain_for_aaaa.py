"""CoreDNS answers NXDOMAIN for AAAA, as some templates and proxies do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, before_kubernetes, expect_red

pytestmark = pytest.mark.real_cluster
TEMPLATE = """
template IN AAAA . {
    rcode NXDOMAIN
}
"""


@contextmanager
def nxdomain_for_aaaa(cluster: Cluster) -> Iterator[None]:
    """Put a template before the kubernetes plugin."""
    with before_kubernetes(cluster, TEMPLATE):
        yield


FAULT = Fault(
    broken=nxdomain_for_aaaa,
    must=frozenset({"DNS-04", "DNS-06", "DNS-07", "DNS-08", "DNS-14", "DNS-16"}),
    cause={"DNS-04": "a template", "DNS-07": "NXDOMAIN"},
)


def test_nxdomain_for_aaaa(dual_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, dual_cluster, tmp_path)
