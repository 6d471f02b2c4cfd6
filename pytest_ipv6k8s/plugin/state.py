"""What the parts of the plugin hand to each other, and to worker processes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.checks import FamiliesOf
from pytest_ipv6k8s.cost import Cost
from pytest_ipv6k8s.external.model import ExternalNetwork
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
    ping: bool = False
    peers: tuple[ProbePod, ...] = ()

    def stack_of(self, whose: FamiliesOf) -> Stack:
        """Return the stack of pods or of Services."""
        return self.inventory.pod_stack if whose is FamiliesOf.PODS else self.stack

    def plan(self, settings: Settings) -> Plan:
        """Return how further pods are made, on the nodes where probes stand."""
        used = {pod.node for pod in self.pods}
        return Plan(
            run_id=self.run_id,
            image=settings.cluster.probe_image,
            stack=self.stack,
            nodes=tuple(node for node in self.inventory.nodes if node.name in used),
            host_network=False,
            tolerations=settings.probes.toleration,
            pull_secret=settings.probes.pull_secret,
        )


COST = pytest.StashKey[Cost]()
SETTINGS = pytest.StashKey[Settings]()
TIMEOUTS = pytest.StashKey[Timeouts]()
FACTS = pytest.StashKey[RunFacts]()
