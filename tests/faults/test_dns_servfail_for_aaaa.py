"""CoreDNS answers SERVFAIL for AAAA: a template that matches another name does not fall through.

It was to keep clients of two domains from IPv6 (tscibilia/home-ops#3179).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, before_kubernetes, expect_red

pytestmark = pytest.mark.real_cluster
TEMPLATE = r"""
template IN AAAA {
    match (^|\.)example\.com\.$
    rcode NOERROR
}
"""


@contextmanager
def template(cluster: Cluster) -> Iterator[None]:
    """Put a template with a match before the kubernetes plugin."""
    with before_kubernetes(cluster, TEMPLATE):
        yield


FAULT = Fault(
    broken=template,
    must=frozenset({"DNS-01"}),
    cause={"DNS-01": "a plugin before `kubernetes`"},
)


def test_servfail_for_aaaa(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
