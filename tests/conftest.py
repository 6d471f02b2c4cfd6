"""What all tests share: pytest's own test tool, and real clusters that are made once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.clusters import Cluster
from tests.real import OutsideWorld, kind_cluster, outside_world

pytest_plugins = ["pytester"]


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
