"""Clusters of three nodes: one may be odd, and two are left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.clusters.contract import Cluster
from tests.oddities.oddity import run_usual
from tests.real import SuiteRun, kind_cluster

if TYPE_CHECKING:
    from tests.conftest import Shared


@dataclass(frozen=True, kw_only=True)
class Healthy:
    """A cluster, and the suite's run on it as it is."""

    cluster: Cluster
    usual: SuiteRun


@contextmanager
def _healthy(stack: Stack, folder: Path) -> Iterator[Healthy]:
    with kind_cluster(stack, workers=2) as cluster:
        yield Healthy(cluster=cluster, usual=run_usual(cluster, folder))


@pytest.fixture
def healthy_ipv6(_shared: Shared, tmp_path: Path) -> Healthy:
    """An IPv6-only kind cluster."""
    return _shared.use("healthy", lambda: _healthy(Stack.IPV6, tmp_path))


@pytest.fixture
def healthy_dual(_shared: Shared, tmp_path: Path) -> Healthy:
    """A dual-stack kind cluster, IPv4 first."""
    return _shared.use("healthy", lambda: _healthy(Stack.DUAL, tmp_path))
