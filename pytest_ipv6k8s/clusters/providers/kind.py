"""Clusters in kind: Kubernetes nodes as containers on this machine."""

from __future__ import annotations

import contextlib
from pathlib import Path

from pytest_ipv6k8s import data
from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.clusters import (
    Cluster,
    ClusterSpec,
    Problem,
    Progress,
    engine,
    ownership,
    preflight,
)
from pytest_ipv6k8s.errors import ClusterError, HostProblem
from pytest_ipv6k8s.process import Finished, must_run, run

CREATE, DELETE = 600.0, 120.0


class Kind:
    """Lifecycle only. Every cluster has a container network of its own."""

    def problems(self, spec: ClusterSpec) -> list[Problem]:
        """Return what keeps this machine from making the cluster."""
        facts = preflight.read_facts()
        return [*preflight.problems(facts, spec), *preflight.kind_problems(facts)]

    def create(self, spec: ClusterSpec, home: Path, progress: Progress) -> Cluster:
        """Make the cluster; see the contract.

        Raises:
            HostProblem: an image is not to be had, or the network has no IPv6.
            ClusterError: kind gave up; carries its last words.
        """
        name = ownership.cluster_name(spec.run_id)
        stack = spec.stack or Stack.IPV6
        if spec.node_image:
            engine.have_image(spec.node_image, "node image", "--ipv6k8s-node-image", progress)
        engine.have_image(spec.probe_image, "probe image", "--ipv6k8s-probe-image", progress)
        progress(f"making kind cluster {name}: {stack.value}, 1 control plane, {_workers(spec)}")
        kubeconfig = home / "kubeconfig"
        try:
            # also the nodes of an IPv6-only cluster: Docker's DNS and its way out are IPv4
            engine.make_network(name, spec.run_id, {Family.V4, *stack.families})
            _make_cluster(name, spec, stack, kubeconfig)
            _load_probe_image(name, spec.probe_image)
            _wait_for_dns(name)
        except BaseException as error:
            if isinstance(error, Exception):  # somebody who presses Ctrl-C does not want to wait
                spec.before_removal(name)
            with contextlib.suppress(HostProblem):  # what went wrong first is what is told
                self.delete(name)
            raise
        return Cluster(
            name=name, provider="kind", kubeconfig=kubeconfig, context=f"kind-{name}", made=True
        )

    def delete(self, name: str) -> None:
        """Remove the cluster, its network and whatever else is on it; twice is fine.

        Raises:
            HostProblem: they could not be removed.
        """
        must_run(["kind", "delete", "cluster", "--name", name], within=DELETE)
        engine.remove_network(name)

    def on_nodes(self, name: str, script: str, within: float) -> dict[str, str]:
        """Run a shell script on every node.

        Raises:
            HostProblem: kind does not tell its nodes.
        """
        return engine.on_nodes(_nodes(name), script, within)


def _workers(spec: ClusterSpec) -> str:
    return f"{spec.workers} worker{'' if spec.workers == 1 else 's'}"


def configuration(stack: Stack, workers: int) -> str:
    """Return kind's configuration for a stack and a number of workers."""
    nodes = "\n".join(["- role: control-plane", *["- role: worker"] * workers])
    return f"{data.text(f'kind/{stack.value}.yaml')}nodes:\n{nodes}\n"


def _make_cluster(name: str, spec: ClusterSpec, stack: Stack, kubeconfig: Path) -> None:
    command = ["kind", "create", "cluster", "--name", name, "--config", "-"]
    command += ["--kubeconfig", str(kubeconfig), "--wait", "120s"]
    if spec.node_image:
        command += ["--image", spec.node_image]
    made = run(
        command,
        within=CREATE,
        stdin=configuration(stack, spec.workers),
        environment={"KIND_EXPERIMENTAL_DOCKER_NETWORK": name},
    )
    if not made.ok:
        raise _why_not(made)
    nodes = must_run(_kubectl(name, "wait", "--for=condition=Ready", "nodes", "--all"), within=150)
    assert nodes


def _why_not(made: Finished) -> ClusterError:
    said = made.err or made.out
    errors = [line for line in said.splitlines() if "ERROR" in line] or [made.last_words]
    text = f"kind could not make the cluster: {' '.join(errors[0].split())[:400]}"
    if "pull" in said and "image" in said:
        return ClusterError(text, remedy="give a node image that exists: --ipv6k8s-node-image")
    if "no space left" in said:
        return ClusterError(text, remedy="free some space: docker system prune")
    return ClusterError(text, remedy="look further with `ipv6k8s doctor`")


def _kubectl(name: str, *words: str) -> list[str]:
    node = f"{name}-control-plane"
    admin = ["--kubeconfig", "/etc/kubernetes/admin.conf"]
    return ["docker", "exec", node, "kubectl", *admin, *words, "--timeout=120s"]


def _nodes(name: str) -> list[str]:
    return must_run(["kind", "get", "nodes", "--name", name], within=30).split()


def _load_probe_image(name: str, image: str) -> None:
    lacking = [node for node in _nodes(name) if not _node_has(node, image)]
    if lacking:
        must_run(
            ["kind", "load", "docker-image", image, "--name", name, "--nodes", ",".join(lacking)],
            within=CREATE,
        )


def _node_has(node: str, image: str) -> bool:
    listed = run(["docker", "exec", node, "ctr", "-n", "k8s.io", "images", "ls", "-q"], within=30)
    return any(ref.removeprefix("docker.io/") == image for ref in listed.out.split())


def _wait_for_dns(name: str) -> None:
    """Wait until CoreDNS has rolled out: kind does not, and the first questions would be lost."""
    words = ["-n", "kube-system", "rollout", "status", "deployment/coredns"]
    rolled_out = run(_kubectl(name, *words), within=150)
    if not rolled_out.ok:
        raise ClusterError(
            f"CoreDNS does not start: {engine.last_line(rolled_out.last_words)}",
            remedy="look further with --ipv6k8s-keep and `kubectl -n kube-system describe pods`",
        )


PROVIDER = Kind()
