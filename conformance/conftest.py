"""The short names under which checks get their fixtures. No options, no hooks."""

from __future__ import annotations

import pytest


@pytest.fixture
def cluster(ipv6k8s_cluster):
    """The cluster: facts, objects, proposals."""
    return ipv6k8s_cluster


@pytest.fixture
def probes(ipv6k8s_probes):
    """The probes."""
    return ipv6k8s_probes


@pytest.fixture
def arena(ipv6k8s_arena):
    """The namespaces and pods on which NetworkPolicies may be tried."""
    return ipv6k8s_arena


@pytest.fixture
def outside(ipv6k8s_outside):
    """The outside world."""
    return ipv6k8s_outside


@pytest.fixture
def services(ipv6k8s_services):
    """The Services of the scene."""
    return ipv6k8s_services
