"""Clusters of K3s: one server and its agents as containers on this machine."""

from __future__ import annotations

import contextlib
import ipaddress
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_ipv6k8s.addresses import Family, Stack, endpoint
from pytest_ipv6k8s.clusters import lifecycle, ownership, preflight, ranges
from pytest_ipv6k8s.clusters.contract import Cluster, ClusterSpec, KubeProxy, Problem, installer
from pytest_ipv6k8s.docker import LABEL, Docker, last_line
from pytest_ipv6k8s.errors import ClusterError, ConfigError, Inconclusive
from pytest_ipv6k8s.process import Progress
from pytest_ipv6k8s.waiting import wait_until
from pytest_ipv6k8s.words import counted

IMAGE = "rancher/k3s:v1.34.1-k3s1"
API_PORT = 6443
DEFAULTS = {
    Family.V4: ("10.42.0.0/16", "10.43.0.0/16"),
    Family.V6: ("fd00:42::/56", "fd00:43::/112"),
}
LIMITS = ranges.Limits(services_ipv6=112, sets_masks=True)
IPV6_ONLY_API = (1, 48)
_KUBECTL = ("k3s", "kubectl")
_FIRST_HOST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node: the name of its container, and its addresses in the order of the stack."""

    name: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class K3s:
    """Lifecycle only. Every cluster has a container network of its own."""

    docker: Docker = field(default_factory=Docker)

    @property
    def node_image(self) -> str:
        """The image of the nodes where none is given."""
        return IMAGE

    def problems(self, spec: ClusterSpec) -> list[Problem]:
        """Return what keeps this machine from making the cluster."""
        spec = settled(spec)
        found = [
            *preflight.problems(preflight.read_facts(self.docker), spec),
            *lifecycle.network_problems(spec),
        ]
        if found:
            return [*found, *ranges.problems(spec, LIMITS, {})]
        if spec.stack is Stack.IPV6 and self.docker.api_version() < IPV6_ONLY_API:
            found.append(
                Problem(
                    text="the container engine is too old for an IPv6-only network",
                    remedy="install Docker Engine 28 or newer, or choose --ipv6k8s-stack dual-ipv6",
                )
            )
        return [*found, *ranges.problems(spec, LIMITS, self.docker.subnets())]

    def create(self, spec: ClusterSpec, home: Path, progress: Progress) -> Cluster:
        """Make the cluster; see the contract.

        Raises:
            HostProblem: an image is not to be had, or the engine makes no such network.
            ClusterError: a node does not join or become ready; carries its last words.
        """
        spec, docker = settled(spec), self.docker.with_timeouts(spec.timeouts)
        image = spec.node_image or IMAGE
        docker.require_image(image, "node image", "--ipv6k8s-node-image", progress)
        _require_k3s(docker, image)
        docker.require_image(spec.probe_image, "probe image", "--ipv6k8s-probe-image", progress)
        cluster = Cluster(
            name=ownership.cluster_name(spec.run_id),
            provider="k3s",
            kubeconfig=home / "kubeconfig",
            context="default",
            owned=True,
        )
        progress(
            f"making K3s cluster {cluster.name}: {spec.stack.value}, 1 server, {_agents(spec)}"
        )
        with lifecycle.all_or_nothing(cluster, spec, self.delete):
            nodes = _make_nodes(docker, cluster.name, spec, image)
            _wait_for_nodes(docker, nodes)
            _write_kubeconfig(docker, cluster, nodes[0].name, spec.stack)
            _load_probe_image(docker, nodes, spec.probe_image, home)
            if installer(spec.cni).replaces_default:
                _share_mounts(docker, nodes)
            lifecycle.make_ready(cluster, spec, progress)
        return cluster

    def delete(self, name: str) -> None:
        """Remove the cluster, its network and whatever else is on it; twice is fine.

        Raises:
            HostProblem: they could not be removed.
        """
        self.docker.remove_containers(self.docker.containers(_run_of(name)))
        self.docker.remove_network(name)

    def on_nodes(self, name: str, script: str, timeout: float) -> dict[str, str]:
        """Run a shell script on every node.

        Raises:
            HostProblem: the engine does not tell its containers.
        """
        ours = (f"{name}-server", f"{name}-agent-")
        containers = self.docker.containers(_run_of(name))
        nodes = [container for container in containers if container.startswith(ours)]
        return self.docker.exec_all(nodes, script, timeout=timeout)


def _run_of(name: str) -> str:
    return name.removeprefix(ownership.cluster_name(""))


def _agents(spec: ClusterSpec) -> str:
    return counted(spec.workers, "agent")


def settled(spec: ClusterSpec) -> ClusterSpec:
    """Return what is wanted with ranges filled in."""
    defaults = [DEFAULTS[family] for family in spec.stack.families]
    return replace(
        spec,
        pod_cidrs=spec.pod_cidrs or tuple(pods for pods, _ in defaults),
        service_cidrs=spec.service_cidrs or tuple(services for _, services in defaults),
    )


def _require_k3s(docker: Docker, image: str) -> None:
    program = (docker.entrypoint(image) or [""])[0]
    if Path(program).name != "k3s":
        raise ConfigError(
            f"node image {image} is not K3s: it does not start /bin/k3s",
            remedy="give a tag of rancher/k3s with --ipv6k8s-node-image",
        )


def _make_nodes(docker: Docker, name: str, spec: ClusterSpec, image: str) -> list[Node]:
    """Make the network, the server and its agents; the server is first."""
    avoid = (*spec.pod_cidrs, *spec.service_cidrs)
    families = spec.stack.families
    subnets = docker.make_network(name, spec.run_id, families, avoid=avoid, fixed=True)
    names = [f"{name}-server", *(f"{name}-agent-{n + 1}" for n in range(spec.workers))]
    nodes = [
        Node(name=node, addresses=addresses(spec.stack, subnets, number))
        for number, node in enumerate(names)
    ]
    token = {"K3S_TOKEN": secrets.token_hex(16)}
    for node in nodes:
        docker.start(container_arguments(node, nodes[0], spec, image), token)
    return nodes


def addresses(stack: Stack, subnets: Sequence[str], number: int) -> tuple[str, ...]:
    """Return the addresses of a node, by its number, in the order of the stack."""
    of_family = {Family.of(subnet): ipaddress.ip_network(subnet) for subnet in subnets}
    return tuple(str(of_family[family][_FIRST_HOST + number]) for family in stack.families)


def container_arguments(node: Node, server: Node, spec: ClusterSpec, image: str) -> list[str]:
    """Return how the engine starts a node; K3S_TOKEN is handed on, not written."""
    name = server.name.removesuffix("-server")
    command = ["--privileged", "--network", name]
    command += ["--name", node.name, "--hostname", node.name]
    command += ["--label", f"{LABEL}={spec.run_id}", "--env", "K3S_TOKEN"]
    command += ["--tmpfs", "/run", "--tmpfs", "/var/run"]
    for address in node.addresses:
        command += ["--ip6" if Family.of(address) is Family.V6 else "--ip", address]
    if Family.V6 in spec.stack.families:
        command += ["--sysctl", "net.ipv6.conf.all.disable_ipv6=0"]
        command += ["--sysctl", "net.ipv6.conf.all.forwarding=1"]
    if node == server:
        command += ["--publish", f"{endpoint(_loopback(spec.stack))}::{API_PORT}"]
        return [*command, image, *server_arguments(node, spec)]
    url = f"https://{endpoint(server.addresses[0], API_PORT)}"
    return [*command, "--env", f"K3S_URL={url}", image, "agent", *_node_arguments(node, spec)]


def server_arguments(node: Node, spec: ClusterSpec) -> list[str]:
    """Return what K3s' server is told; the order of ranges is that of the families."""
    arguments = ["server", *_node_arguments(node, spec)]
    arguments += [f"--cluster-cidr={','.join(spec.pod_cidrs)}"]
    arguments += [f"--service-cidr={','.join(spec.service_cidrs)}"]
    arguments += [f"--tls-san={_loopback(spec.stack)}"]
    for cidr in spec.pod_cidrs:
        mask = ranges.node_mask(cidr, spec.workers + 1)
        flag = f"node-cidr-mask-size-{Family.of(cidr).value.lower()}"
        arguments += [f"--kube-controller-manager-arg={flag}={mask}"]
    if installer(spec.cni).replaces_default:
        arguments += ["--flannel-backend=none", "--disable-network-policy"]
    elif Family.V6 in spec.stack.families:
        arguments += ["--flannel-ipv6-masq"]
    if spec.kube_proxy is KubeProxy.NONE:
        arguments += ["--disable-kube-proxy"]
    return [*arguments, *(f"--disable={component.value}" for component in spec.k3s_disable)]


def _node_arguments(node: Node, spec: ClusterSpec) -> list[str]:
    arguments = [f"--node-ip={','.join(node.addresses)}"]
    if spec.kube_proxy not in (None, KubeProxy.NONE):
        arguments += [f"--kube-proxy-arg=proxy-mode={spec.kube_proxy.value}"]
    return arguments


def _loopback(stack: Stack) -> str:
    """Return the address of this machine on which the API server is published."""
    return (Family.V4 if Family.V4 in stack.families else Family.V6).loopback


def _wait_for_nodes(docker: Docker, nodes: Sequence[Node]) -> None:
    """Wait until every node is registered, and stop early when one has ended."""
    server, timeout = nodes[0].name, docker.timeouts.k3s_join
    missing = [node.name for node in nodes]

    def all_joined() -> bool:
        asked = docker.exec(server, [*_KUBECTL, "get", "nodes", "-o", "name"])
        joined = asked.out.split() if asked.ok else []
        missing[:] = [node.name for node in nodes if f"node/{node.name}" not in joined]
        return not missing or any(not docker.is_running(name) for name in missing)

    with contextlib.suppress(Inconclusive):
        wait_until("all nodes have joined", all_joined, timeout=timeout, interval=1.0)
    if missing:
        ended = [name for name in missing if not docker.is_running(name)]
        name = (ended or missing)[0]
        did = "ended before it joined" if ended else f"did not join within {timeout:.0f} s"
        raise ClusterError(
            f"K3s node {name} {did}; it said: {_last_error(docker.logs(name, lines=200))}",
            remedy="check the node image and the ranges, or look with `ipv6k8s doctor`",
        )


def _last_error(lines: Sequence[str]) -> str:
    """Return the last fatal or error line of a node, or else its last line."""
    grave = [line for line in lines if "level=fatal" in line or "level=error" in line]
    return last_line("\n".join(grave or lines)) or "nothing"


def _write_kubeconfig(docker: Docker, cluster: Cluster, server: str, stack: Stack) -> None:
    """Write the admin's kubeconfig, led to the port on which the API server is published."""
    import yaml

    config = yaml.safe_load(docker.must_exec(server, ["cat", "/etc/rancher/k3s/k3s.yaml"]))
    port = docker.published_port(server, API_PORT)
    config["clusters"][0]["cluster"]["server"] = f"https://{endpoint(_loopback(stack), port)}"
    cluster.kubeconfig.touch(mode=0o600)
    cluster.kubeconfig.write_text(yaml.safe_dump(config), "utf-8")


def _load_probe_image(docker: Docker, nodes: Sequence[Node], image: str, home: Path) -> None:
    """Copy the probe's image from the engine to the containerd of every node."""
    archive = home / "probe.tar"
    docker.save_image(image, archive)
    load = ["k3s", "ctr", "--namespace", "k8s.io", "images", "import", "/tmp/probe.tar"]
    for node in nodes:
        docker.copy_into(node.name, archive, "/tmp/probe.tar")
        docker.must_exec(node.name, load, timeout=docker.timeouts.image_copy)
    archive.unlink(missing_ok=True)


def _share_mounts(docker: Docker, nodes: Sequence[Node]) -> None:
    """Let mounts of a CNI's pods reach the node: Docker makes its root private."""
    for node in nodes:
        docker.must_exec(node.name, ["mount", "--make-rshared", "/"])


PROVIDER = K3s()
