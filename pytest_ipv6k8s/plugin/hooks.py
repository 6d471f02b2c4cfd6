"""Hooks that other plugins and conftest files may implement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_ipv6k8s.clusters.contract import ClusterProvider


@pytest.hookspec(firstresult=True)
def pytest_ipv6k8s_cluster_provider(name: str) -> ClusterProvider | None:
    """Return the provider of this name, or None to leave it to others.

    Asked in pytest's controller, before any test and again at the end, never in xdist's workers.

    Args:
        name: the value of ``--ipv6k8s-provider``.
    """
