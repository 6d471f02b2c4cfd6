"""A load balancer reports the link-local address of its interface."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import load_balancer_address

pytestmark = pytest.mark.real_cluster


@contextmanager
def reported(cluster: Cluster) -> Iterator[None]:
    """Make such a Service, as a load balancer's controller would leave it."""
    with load_balancer_address(cluster, "fe80::1"):
        yield


FAULT = Fault(
    broken=reported,
    must=frozenset({"ADDR-27"}),
    cause={"ADDR-27": "the link-local address of its interface"},
)


def test_load_balancer_link_local(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
