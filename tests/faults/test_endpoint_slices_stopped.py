"""Nobody makes EndpointSlices: the controller does not run, and new Services have no endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import other_controller_manager

pytestmark = pytest.mark.real_cluster
WITHOUT = "s/--controllers=/&-endpointslice-controller,/"


@contextmanager
def controller_stopped(cluster: Cluster) -> Iterator[None]:
    """Run the controller manager without this controller."""
    with other_controller_manager(cluster, WITHOUT):
        yield


FAULT = Fault(
    broken=controller_stopped,
    must=frozenset({"SVC-01", "SVC-07"}),
    cause={"SVC-07": "the endpoint slice controller"},
)


def test_endpoint_slices_stopped(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
