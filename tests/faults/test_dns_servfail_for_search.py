"""A name that a search domain made longer gets SERVFAIL (kubernetes/kubernetes#94794)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, before_kubernetes, expect_red

pytestmark = pytest.mark.real_cluster
TEMPLATE = r"""
template ANY ANY cluster.local {
    match cluster\.local\..*cluster\.local\.$
    rcode SERVFAIL
    fallthrough
}
"""


@contextmanager
def template(cluster: Cluster) -> Iterator[None]:
    """Put a template before the kubernetes plugin."""
    with before_kubernetes(cluster, TEMPLATE):
        yield


FAULT = Fault(
    broken=template,
    must=frozenset({"DNS-16"}),
    cause={"DNS-16": "SERVFAIL for a search domain"},
)


def test_servfail_for_search(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
