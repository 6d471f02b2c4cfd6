"""What stands when the checks begin: plain data, which worker processes get."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pytest_ipv6k8s.addresses import Stack, families_of
from pytest_ipv6k8s.checks import FamiliesOf
from pytest_ipv6k8s.external.model import NO_TARGETS, ExternalNetwork
from pytest_ipv6k8s.kube.inventory import Inventory
from pytest_ipv6k8s.probe.deploy import NO_HOSTS, Plan
from pytest_ipv6k8s.probe.placing import LeftOut
from pytest_ipv6k8s.probe.probes import ProbePod, nodes_of
from pytest_ipv6k8s.probe.services import Service
from pytest_ipv6k8s.settings import Settings
from pytest_ipv6k8s.wanted import manner


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What stands when the checks begin; crosses the process border as plain data."""

    run_id: str
    home: Path
    kubeconfig: Path
    context: str
    server: str
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
    left_out: tuple[LeftOut, ...] = ()
    own_namespaces: bool = True
    lacking: tuple[str, ...] = ()
    ready_at: float = 0.0

    @property
    def no_hosts(self) -> str:
        """Why there is no host-network probe although they are allowed; empty when they are not."""
        return next((line for line in self.lacking if line.startswith(NO_HOSTS)), "")

    @property
    def no_targets(self) -> str:
        """Why there are no external targets although they were wanted; empty when not."""
        return next((line for line in self.lacking if line.startswith(NO_TARGETS)), "")

    @property
    def unconnected(self) -> dict[str, str]:
        """Why a node could not connect its probe to the pods' network, by its name."""
        return {one.node: one.reason for one in self.left_out if one.unconnected}

    @property
    def everyone(self) -> tuple[ProbePod, ...]:
        """All pods of ours that can be asked."""
        return (*self.pods, *self.hosts, *self.peers)

    @property
    def where(self) -> dict[str, str]:
        """The node of each pod of ours by its name, and of addresses of those and of nodes."""
        own = {
            address: node.name
            for node in self.inventory.nodes
            for address in (*node.internal_ips, *node.external_ips)
        }
        return {**own, **nodes_of(self.everyone)}

    def stack_of(self, whose: FamiliesOf) -> Stack:
        """Return the stack of pods or of Services."""
        return self.inventory.pod_stack if whose is FamiliesOf.PODS else self.stack

    def plan(self, settings: Settings) -> Plan:
        """Return how further pods are made: where probes stand that have all families of pods.

        The first and the last node are others in each run.
        """
        wanted = set(self.inventory.pod_stack.families)
        complete = {pod.node for pod in self.pods if wanted <= set(families_of(pod.ips))}
        used = complete or {pod.node for pod in self.pods}
        nodes = [node for node in self.inventory.nodes if node.name in used]
        turn = int.from_bytes(self.run_id.encode(), "big") % len(nodes)
        return Plan(
            run_id=self.run_id,
            manner=manner(settings),
            stack=self.stack,
            nodes=(*nodes[turn:], *nodes[:turn]),
            host_network=False,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What the selected items use; nothing else is made. All of it, unless it is known better."""

    hosts: bool = True
    peers: bool = True
    external: bool = True


EVERYTHING = Used()
