"""Clusters in kind: Kubernetes nodes as containers on this machine."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pytest_ipv6k8s import data
from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.clusters import lifecycle, ownership, preflight, ranges
from pytest_ipv6k8s.clusters.contract import Cluster, ClusterSpec, Problem, installer
from pytest_ipv6k8s.docker import Docker
from pytest_ipv6k8s.errors import ClusterError
from pytest_ipv6k8s.process import Finished, Progress, must_run, run
from pytest_ipv6k8s.timeouts import Timeouts
from pytest_ipv6k8s.words import counted

OLDEST = (0, 24)
# kubeadm takes Services' ranges of 20 bits and leaves the length of nodes' prefixes alone.
LIMITS = ranges.Limits(services_ipv6=108, sets_masks=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Lifecycle only. Every cluster has a container network of its own."""

    docker: Docker = field(default_factory=Docker)

    def problems(self, spec: ClusterSpec) -> list[Problem]:
        """Return what keeps this machine from making the cluster."""
        spec, facts = _settled(spec), preflight.read_facts(self.docker)
        found = [
            *preflight.problems(facts, spec),
            *program_problems(installed_version(spec.timeouts)),
        ]
        taken = {} if found else self.docker.subnets()
        return [*found, *lifecycle.network_problems(spec), *ranges.problems(spec, LIMITS, taken)]

    def create(self, spec: ClusterSpec, home: Path, progress: Progress) -> Cluster:
        """Make the cluster; see the contract.

        Raises:
            HostProblem: an image is not to be had, or the network has no IPv6.
            ClusterError: kind gave up; carries the end of its output.
        """
        name = ownership.cluster_name(spec.run_id)
        spec, docker = _settled(spec), self.docker.with_timeouts(spec.timeouts)
        if spec.node_image:
            docker.require_image(spec.node_image, "node image", "--ipv6k8s-node-image", progress)
        docker.require_image(spec.probe_image, "probe image", "--ipv6k8s-probe-image", progress)
        progress(
            f"making kind cluster {name}: {spec.stack.value}, 1 control plane, {_workers(spec)}"
        )
        cluster = Cluster(
            name=name,
            provider="kind",
            kubeconfig=home / "kubeconfig",
            context=f"kind-{name}",
            owned=True,
        )
        with lifecycle.all_or_nothing(cluster, spec, self.delete):
            # also the nodes of an IPv6-only cluster: Docker's DNS and its way out are IPv4
            families = {Family.V4, *spec.stack.families}
            avoid = (*spec.pod_cidrs, *spec.service_cidrs)
            docker.make_network(name, spec.run_id, families, avoid=avoid)
            _make_cluster(cluster, spec, progress)
            _load_probe_image(docker, name, spec.probe_image)
            lifecycle.make_ready(cluster, spec, progress)
        return cluster

    def delete(self, name: str) -> None:
        """Remove the cluster, its network and whatever else is on it; twice is fine.

        Raises:
            HostProblem: they could not be removed.
        """
        timeout = self.docker.timeouts.kind_delete
        must_run(["kind", "delete", "cluster", "--name", name], timeout=timeout)
        self.docker.remove_network(name)

    def on_nodes(self, name: str, script: str, timeout: float) -> dict[str, str]:
        """Run a shell script on every node.

        Raises:
            HostProblem: kind does not tell its nodes.
        """
        return self.docker.exec_all(_nodes(name, self.docker.timeouts), script, timeout=timeout)


def installed_version(timeouts: Timeouts) -> tuple[int, ...] | None:
    """Return the version of the program ``kind``; None when there is no such program."""
    if shutil.which("kind") is None:
        return None
    output = run(["kind", "version"], timeout=timeouts.version).out
    found = re.search(r"v(\d+)\.(\d+)\.(\d+)", output)
    return tuple(int(part) for part in found.groups()) if found else (0,)


def program_problems(version: tuple[int, ...] | None) -> list[Problem]:
    """Return what is wrong with the program ``kind``; empty when nothing is."""
    oldest = ".".join(map(str, OLDEST))
    if version is None:
        return [
            Problem(
                text="kind is not on PATH",
                remedy=f"install kind {oldest} or newer: https://kind.sigs.k8s.io",
            )
        ]
    if version < OLDEST:
        shown = ".".join(map(str, version))
        return [Problem(text=f"kind {shown} is too old", remedy=f"install kind {oldest} or newer")]
    return []


def _workers(spec: ClusterSpec) -> str:
    return counted(spec.workers, "worker")


def _settled(spec: ClusterSpec) -> ClusterSpec:
    """Return what is wanted with ranges filled in."""
    networking = _document(spec.stack)["networking"]
    return replace(
        spec,
        pod_cidrs=spec.pod_cidrs or tuple(networking["podSubnet"].split(",")),
        service_cidrs=spec.service_cidrs or tuple(networking["serviceSubnet"].split(",")),
    )


def _document(stack: Stack) -> dict[str, Any]:
    import yaml

    found: dict[str, Any] = yaml.safe_load(data.text(f"kind/{stack.value}.yaml"))
    return found


def configuration(spec: ClusterSpec) -> str:
    """Return kind's configuration of a cluster; the order of ranges is that of the families."""
    import yaml

    spec = _settled(spec)
    document = _document(spec.stack)
    networking = document["networking"]
    networking["podSubnet"] = ",".join(spec.pod_cidrs)
    networking["serviceSubnet"] = ",".join(spec.service_cidrs)
    if installer(spec.cni).replaces_default:
        networking["disableDefaultCNI"] = True
    if spec.kube_proxy is not None:
        networking["kubeProxyMode"] = spec.kube_proxy.value
    document["nodes"] = [
        {"role": "control-plane"},
        *[{"role": "worker"} for _ in range(spec.workers)],
    ]
    return str(yaml.safe_dump(document, sort_keys=False))


def _make_cluster(cluster: Cluster, spec: ClusterSpec, progress: Progress) -> None:
    """Make nodes with a control plane; whoever waits for Ready waits for a network."""
    command = ["kind", "create", "cluster", "--name", cluster.name, "--config", "-"]
    command += ["--kubeconfig", str(cluster.kubeconfig), "--wait", "0s"]
    if spec.node_image:
        command += ["--image", spec.node_image]
    made = run(
        command,
        timeout=spec.timeouts.kind_create,
        stdin=configuration(spec),
        environment={"KIND_EXPERIMENTAL_DOCKER_NETWORK": cluster.name},
        progress=progress,
    )
    if not made.ok:
        raise _why_not(made)


def _why_not(made: Finished) -> ClusterError:
    output = made.err or made.out
    errors = [line for line in output.splitlines() if "ERROR" in line] or [made.last_words]
    text = f"kind could not make the cluster: {' '.join(errors[0].split())[:400]}"
    if "pull" in output and "image" in output:
        return ClusterError(text, remedy="give a node image that exists: --ipv6k8s-node-image")
    if "no space left" in output:
        return ClusterError(text, remedy="free some space: docker system prune")
    return ClusterError(text, remedy="look further with `ipv6k8s doctor`")


def _nodes(name: str, timeouts: Timeouts) -> list[str]:
    command = ["kind", "get", "nodes", "--name", name]
    return must_run(command, timeout=timeouts.docker_query).split()


def _load_probe_image(docker: Docker, name: str, image: str) -> None:
    nodes = _nodes(name, docker.timeouts)
    lacking = [node for node in nodes if not _node_has(docker, node, image)]
    if lacking:
        must_run(
            ["kind", "load", "docker-image", image, "--name", name, "--nodes", ",".join(lacking)],
            timeout=docker.timeouts.image_copy,
        )


def _node_has(docker: Docker, node: str, image: str) -> bool:
    listed = docker.exec(node, ["ctr", "-n", "k8s.io", "images", "ls", "-q"])
    return any(ref.removeprefix("docker.io/") == image for ref in listed.out.split())


PROVIDER = Kind()
