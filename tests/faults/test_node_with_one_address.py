"""A node of a dual-stack cluster has no IPv6 address: --node-ip of its kubelet names one family.

Its pods have both (kubernetes/kubernetes#91940).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from pytest_ipv6k8s.waiting import wait_until
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import FLAGS, other_kubelet
from tests.real import kubectl

pytestmark = pytest.mark.real_cluster
FIRST = r"s/--node-ip=\([^, ]*\),[^ ]*/--node-ip=\1/"
ADDRESSES = "jsonpath={.status.addresses[?(@.type=='InternalIP')].address}"


@contextmanager
def one_address(cluster: Cluster) -> Iterator[None]:
    """Take the second address from --node-ip of the worker."""
    worker = f"{cluster.name}-worker"

    def await_addresses(count: int) -> None:
        def found() -> bool:
            return len(kubectl(cluster, "get", "node", worker, "-o", ADDRESSES).split()) == count

        wait_until(f"the node tells {count}", found, timeout=60, interval=1)

    with other_kubelet(cluster, worker, FIRST, FLAGS):
        await_addresses(1)
        yield
    await_addresses(2)


FAULT = Fault(
    broken=one_address,
    must=frozenset({"ADDR-09"}),
    cause={"ADDR-09": "the kubelet runs without --node-ip=v4,v6"},
)


def test_node_with_one_address(dual_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, dual_cluster, tmp_path)
