"""Clusters in kind: Kubernetes nodes as containers on this machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_ipv6k8s import data, docker
from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.clusters import lifecycle, ownership, preflight, ranges
from pytest_ipv6k8s.clusters.contract import Cluster, ClusterSpec, Problem, installer
from pytest_ipv6k8s.errors import ClusterError
from pytest_ipv6k8s.process import Finished, Progress, must_run, run

CREATE, DELETE = 600.0, 120.0
# kubeadm takes Services' ranges of 20 bits and leaves the length of nodes' prefixes alone.
LIMITS = ranges.Limits(services_ipv6=108, sets_masks=False)


class Kind:
    """Lifecycle only. Every cluster has a container network of its own."""

    def problems(self, spec: ClusterSpec) -> list[Problem]:
        """Return what keeps this machine from making the cluster."""
        spec, facts = _settled(spec), preflight.read_facts()
        found = [*preflight.problems(facts, spec), *preflight.kind_problems(facts)]
        taken = {} if found else docker.subnets()
        return [*found, *lifecycle.network_problems(spec), *ranges.problems(spec, LIMITS, taken)]

    def create(self, spec: ClusterSpec, home: Path, progress: Progress) -> Cluster:
        """Make the cluster; see the contract.

        Raises:
            HostProblem: an image is not to be had, or the network has no IPv6.
            ClusterError: kind gave up; carries its last words.
        """
        name = ownership.cluster_name(spec.run_id)
        spec = _settled(spec)
        if spec.node_image:
            docker.have_image(spec.node_image, "node image", "--ipv6k8s-node-image", progress)
        docker.have_image(spec.probe_image, "probe image", "--ipv6k8s-probe-image", progress)
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
            _make_cluster(cluster, spec)
            _load_probe_image(name, spec.probe_image)
            lifecycle.make_ready(cluster, spec, progress)
        return cluster

    def delete(self, name: str) -> None:
        """Remove the cluster, its network and whatever else is on it; twice is fine.

        Raises:
            HostProblem: they could not be removed.
        """
        must_run(["kind", "delete", "cluster", "--name", name], timeout=DELETE)
        docker.remove_network(name)

    def on_nodes(self, name: str, script: str, timeout: float) -> dict[str, str]:
        """Run a shell script on every node.

        Raises:
            HostProblem: kind does not tell its nodes.
        """
        return docker.on_nodes(_nodes(name), script, timeout)


def _workers(spec: ClusterSpec) -> str:
    return f"{spec.workers} worker{'' if spec.workers == 1 else 's'}"


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


def _make_cluster(cluster: Cluster, spec: ClusterSpec) -> None:
    """Make nodes with a control plane; whoever waits for Ready waits for a network."""
    command = ["kind", "create", "cluster", "--name", cluster.name, "--config", "-"]
    command += ["--kubeconfig", str(cluster.kubeconfig), "--wait", "0s"]
    if spec.node_image:
        command += ["--image", spec.node_image]
    made = run(
        command,
        timeout=CREATE,
        stdin=configuration(spec),
        environment={"KIND_EXPERIMENTAL_DOCKER_NETWORK": cluster.name},
    )
    if not made.ok:
        raise _why_not(made)


def _why_not(made: Finished) -> ClusterError:
    said = made.err or made.out
    errors = [line for line in said.splitlines() if "ERROR" in line] or [made.last_words]
    text = f"kind could not make the cluster: {' '.join(errors[0].split())[:400]}"
    if "pull" in said and "image" in said:
        return ClusterError(text, remedy="give a node image that exists: --ipv6k8s-node-image")
    if "no space left" in said:
        return ClusterError(text, remedy="free some space: docker system prune")
    return ClusterError(text, remedy="look further with `ipv6k8s doctor`")


def _nodes(name: str) -> list[str]:
    return must_run(["kind", "get", "nodes", "--name", name], timeout=30).split()


def _load_probe_image(name: str, image: str) -> None:
    lacking = [node for node in _nodes(name) if not _node_has(node, image)]
    if lacking:
        must_run(
            ["kind", "load", "docker-image", image, "--name", name, "--nodes", ",".join(lacking)],
            timeout=CREATE,
        )


def _node_has(node: str, image: str) -> bool:
    listed = run(["docker", "exec", node, "ctr", "-n", "k8s.io", "images", "ls", "-q"], timeout=30)
    return any(ref.removeprefix("docker.io/") == image for ref in listed.out.split())


PROVIDER = Kind()
