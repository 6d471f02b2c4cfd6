"""What all tests share: pytest's own test tool, and real clusters that are made once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.clusters import Cluster
from tests.real import kind_cluster

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
