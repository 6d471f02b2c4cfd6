"""What the parts of the plugin hand to each other, and to worker processes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.external.model import ExternalNetwork, provides
from pytest_ipv6k8s.features import Feature
from pytest_ipv6k8s.kube.inventory import Inventory
from pytest_ipv6k8s.probe.deploy import Plan
from pytest_ipv6k8s.probe.probes import ProbePod
from pytest_ipv6k8s.probe.services import Service
from pytest_ipv6k8s.settings import Settings
from pytest_ipv6k8s.timeouts import Timeouts


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What stands when the checks begin; crosses the process border as plain data."""

    run_id: str
    kubeconfig: Path
    context: str
    owned: bool
    stack: Stack
    inventory: Inventory
    namespace: str
    pods: tuple[ProbePod, ...]
    hosts: tuple[ProbePod, ...]
    services: tuple[Service, ...]
    external: ExternalNetwork | None = None
    sctp: bool = False

    def meets(self, need: Feature) -> bool:
        """Tell whether a need is met."""
        if need is Feature.TWO_NODES:
            return len(self.pods) > 2
        if need is Feature.HOST_NETWORK_PROBES:
            return bool(self.hosts)
        if need is Feature.CLUSTER_DNS:
            return self.inventory.dns is not None
        if need is Feature.HOST_NETWORK_PODS:
            return self.inventory.host_network_pods
        if need is Feature.NETWORK_POLICY:
            return bool(self.inventory.policy_engine)
        if need is Feature.SCTP:
            return self.sctp
        if need is Feature.NODE_POD_CIDRS:
            return self._pod_cidrs_are_used()
        return self.external is not None and provides(self.external, need)

    def _pod_cidrs_are_used(self) -> bool:
        from pytest_ipv6k8s.addresses import in_any

        cidrs = {node.name: node.pod_cidrs for node in self.inventory.nodes}
        return any(in_any(ip, cidrs.get(pod.node, ())) for pod in self.pods for ip in pod.ips)

    def plan(self, settings: Settings) -> Plan:
        """Return how further pods are made, on the nodes where probes stand."""
        used = {pod.node for pod in self.pods}
        return Plan(
            run_id=self.run_id,
            image=settings.probe_image,
            stack=self.stack,
            nodes=tuple(node for node in self.inventory.nodes if node.name in used),
            host_network=False,
            tolerations=settings.toleration,
            pull_secret=settings.pull_secret,
        )


@dataclass(kw_only=True)
class Cost:
    """What a run asked of the cluster, counted in every process and added up at its end."""

    api_requests: int = 0
    exec_sessions: int = 0

    def add(self, other: Cost) -> None:
        """Add what another process counted."""
        self.api_requests += other.api_requests
        self.exec_sessions += other.exec_sessions


COST = pytest.StashKey[Cost]()
SETTINGS = pytest.StashKey[Settings]()
TIMEOUTS = pytest.StashKey[Timeouts]()
FACTS = pytest.StashKey[RunFacts]()
