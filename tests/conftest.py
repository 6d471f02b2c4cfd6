"""What all tests share: pytest's own test tool, and real clusters that are made once."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.clusters import Cluster
from tests.real import OutsideWorld, kind_cluster, outside_world

pytest_plugins = ["pytester"]

ON_IPV6 = "action bundles control_channel healthy interrupts network_policy outside users"
SHARED_CLUSTERS = {
    "cilium": ("tests/cluster/test_cilium.py", "tests/faults/test_policy_*.py"),
    "dual": ("tests/cluster/test_dual_stack.py", "tests/faults/test_dns_nxdomain_for_aaaa.py"),
    "faults": ("tests/faults/test_*.py",),
    "k3s": ("tests/cluster/test_k3s_containers.py",),
    "ipv6": tuple(f"tests/cluster/test_{name}.py" for name in ON_IPV6.split()),
}
"""Files whose tests share a cluster or an image, and so have to run one after the other."""


class ByCluster(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives all tests that share a cluster to one worker, and every other test to any."""

    def _split_scope(self, nodeid: str) -> str:
        shared = (
            name
            for name, files in SHARED_CLUSTERS.items()
            if any(fnmatch(nodeid, f"{file}::*") for file in files)
        )
        return next(shared, nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByCluster | None:
    """Make `--dist loadgroup` group by cluster: xdist's marks are lost (pytest-xdist#1386)."""
    return ByCluster(config, log) if config.getoption("dist") == "loadgroup" else None


@pytest.fixture(scope="session")
def ipv6_cluster() -> Iterator[Cluster]:
    """A two-node IPv6-only kind cluster."""
    with kind_cluster(Stack.IPV6) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def dual_cluster() -> Iterator[Cluster]:
    """A two-node dual-stack kind cluster, IPv4 first."""
    with kind_cluster(Stack.DUAL) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def cilium_cluster() -> Iterator[Cluster]:
    """A two-node IPv6-only kind cluster with Cilium, which enforces NetworkPolicies."""
    with kind_cluster(Stack.IPV6, cni="cilium") as cluster:
        yield cluster


@pytest.fixture(scope="session")
def ipv6_outside(
    ipv6_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OutsideWorld]:
    """A hermetic outside world beside the IPv6-only cluster, with NAT66."""
    with outside_world(ipv6_cluster, tmp_path_factory.mktemp("outside")) as world:
        yield world


@pytest.fixture(scope="session")
def cilium_outside(
    cilium_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OutsideWorld]:
    """A hermetic outside world beside the cluster with Cilium."""
    with outside_world(cilium_cluster, tmp_path_factory.mktemp("outside")) as world:
        yield world
