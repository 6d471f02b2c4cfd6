"""CoreDNS has no AAAA record for any name: a template is left from an IPv4-only cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, before_kubernetes, expect_red

pytestmark = pytest.mark.real_cluster
TEMPLATE = """
template ANY AAAA {
    rcode NOERROR
}
"""


@contextmanager
def template(cluster: Cluster) -> Iterator[None]:
    """Put a template before the kubernetes plugin."""
    with before_kubernetes(cluster, TEMPLATE):
        yield


FAULT = Fault(
    broken=template,
    must=frozenset({"DNS-04", "NODE-01"}),
    cause={"DNS-04": "a template"},
)


def test_no_aaaa(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
