"""What the parts of the plugin hand to each other, and to worker processes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.cost import Cost
from pytest_ipv6k8s.external.model import ExternalNetwork, provides
from pytest_ipv6k8s.features import Feature
from pytest_ipv6k8s.kube.inventory import Inventory
from pytest_ipv6k8s.probe.deploy import Plan
from pytest_ipv6k8s.probe.probes import ProbePod
from pytest_ipv6k8s.probe.services import Service
from pytest_ipv6k8s.settings import Settings


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

    def plain(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "run_id": self.run_id,
            "kubeconfig": str(self.kubeconfig),
            "context": self.context,
            "owned": self.owned,
            "stack": self.stack.value,
            "inventory": self.inventory.plain(),
            "namespace": self.namespace,
            "pods": [asdict(pod) for pod in self.pods],
            "hosts": [asdict(pod) for pod in self.hosts],
            "services": [service.plain() for service in self.services],
            "external": self.external and self.external.plain(),
            "sctp": self.sctp,
        }

    @classmethod
    def from_plain(cls, data: dict[str, Any]) -> RunFacts:
        """Return what :meth:`plain` made."""
        return cls(
            **{
                **data,
                "kubeconfig": Path(data["kubeconfig"]),
                "stack": Stack(data["stack"]),
                "inventory": Inventory.from_plain(data["inventory"]),
                "pods": tuple(ProbePod.from_plain(pod) for pod in data["pods"]),
                "hosts": tuple(ProbePod.from_plain(pod) for pod in data["hosts"]),
                "services": tuple(Service.from_plain(item) for item in data["services"]),
                "external": data["external"] and ExternalNetwork.from_plain(data["external"]),
            }
        )


COST = pytest.StashKey[Cost]()
SETTINGS = pytest.StashKey[Settings]()
FACTS = pytest.StashKey[RunFacts]()
