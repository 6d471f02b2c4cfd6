"""The short names under which checks get their fixtures. No options, no hooks."""

from __future__ import annotations

import pytest

from pytest_ipv6k8s.checks import check_of
from pytest_ipv6k8s.suite import ClusterView, ExternalTargets, PolicySandbox, Probes, Services
from pytest_ipv6k8s.suite.dns import ClusterDns


@pytest.fixture
def cluster(ipv6k8s_cluster: ClusterView) -> ClusterView:
    """The cluster: facts, objects, proposals."""
    return ipv6k8s_cluster


@pytest.fixture
def probes(request: pytest.FixtureRequest, ipv6k8s_probes: Probes) -> Probes:
    """The probes that have an address of the families that the check is about."""
    declared = check_of(request.function)
    callspec = getattr(request.node, "callspec", None)
    family = callspec.params.get("family") if callspec else None
    return ipv6k8s_probes.having(declared.asked(family) if declared else ())


@pytest.fixture
def sandbox(ipv6k8s_policy_sandbox: PolicySandbox) -> PolicySandbox:
    """The namespaces and pods on which NetworkPolicies may be tried."""
    return ipv6k8s_policy_sandbox


@pytest.fixture
def external(ipv6k8s_external: ExternalTargets) -> ExternalTargets:
    """The external targets, none of them used yet."""
    ipv6k8s_external.forget_used()
    return ipv6k8s_external


@pytest.fixture
def services(ipv6k8s_services: Services) -> Services:
    """The shared Services."""
    return ipv6k8s_services


@pytest.fixture
def dns(cluster: ClusterView, probes: Probes) -> ClusterDns:
    """The cluster's DNS, asked from every node."""
    return ClusterDns(cluster, probes)
