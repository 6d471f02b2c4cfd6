"""Every deadline of a run by the name of what is awaited, scaled once and handed on."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds until we give up.

    Attributes:
        version: a program that tells its version.
        docker_query: an answer of the container engine.
        docker_change: a network or container that is made, started or removed.
        image_pull: an image from its registry, whoever wants it.
        image_copy: an image or a folder, copied from the engine into containers.
        testbed_build: the testbed's image, built from its Dockerfile.
        testbed_start: the testbed's programs, until they run.
        targets_answer: external targets, until they answer each other.
        kind_create: `kind create cluster`.
        kind_delete: `kind delete cluster`.
        k3s_join: nodes of K3s, until all are registered.
        helm: `helm upgrade --install`.
        cni_command: the shell command that installs a CNI.
        rollout: DaemonSets and Deployments of a CNI.
        nodes_ready: nodes, then CoreDNS, of a cluster that was made.
        coredns: CoreDNS, until it runs with another Corefile.
        api_connect: a connection to the API server.
        api_read: the API server's answer.
        exec_connect: an exec session with a pod.
        agent_reply: an agent, on top of what its operation may take.
        probes_ready: probe pods, until they are ready and have addresses.
        probe_scheduled: a probe pod, until its node has room for it.
        namespace_ready: what Kubernetes itself puts into a new namespace.
        namespace_gone: namespaces that are deleted.
        endpoints: EndpointSlices, until they name every probe.
        bundle: looking at the cluster for the bundle of a run; half of it is for a red check.
        bundles: the same for all red checks of a process: a cluster in ruins must not make a run
            endless.
        factor: by how much all of it was multiplied.
    """

    version: float = 20.0
    docker_query: float = 30.0
    docker_change: float = 60.0
    image_pull: float = 600.0
    image_copy: float = 300.0
    testbed_build: float = 900.0
    testbed_start: float = 60.0
    targets_answer: float = 20.0
    kind_create: float = 600.0
    kind_delete: float = 120.0
    k3s_join: float = 180.0
    helm: float = 180.0
    cni_command: float = 600.0
    rollout: float = 300.0
    nodes_ready: float = 120.0
    coredns: float = 90.0
    api_connect: float = 5.0
    api_read: float = 30.0
    exec_connect: float = 15.0
    agent_reply: float = 10.0
    probes_ready: float = 90.0
    probe_scheduled: float = 20.0
    namespace_ready: float = 30.0
    namespace_gone: float = 60.0
    endpoints: float = 15.0
    bundle: float = 20.0
    bundles: float = 180.0
    factor: float = 1.0

    def scaled(self, factor: float) -> Timeouts:
        """Return the same, each multiplied."""
        names = [field.name for field in dataclasses.fields(self)]
        return Timeouts(**{name: getattr(self, name) * factor for name in names})
