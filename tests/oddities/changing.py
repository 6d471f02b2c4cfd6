"""Ways to change a cluster for a while."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from pytest_ipv6k8s.clusters.contract import Cluster
from pytest_ipv6k8s.process import must_run
from tests.real import kubectl, on_node

KUBECTL = "kubectl --kubeconfig /etc/kubernetes/admin.conf"


def all_nodes(cluster: Cluster) -> list[str]:
    """Return the names of a kind cluster's nodes, the control plane's first."""
    return sorted(must_run(["kind", "get", "nodes", "--name", cluster.name], timeout=30).split())


def last_node(cluster: Cluster) -> str:
    """Return the worker that may be odd: two nodes are left without it."""
    return all_nodes(cluster)[-1]


@contextmanager
def objects(cluster: Cluster, *bodies: Mapping[str, Any]) -> Iterator[None]:
    """Have objects on the cluster."""
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(bodies)})
    kubectl(cluster, "apply", "-f", "-", stdin=text)
    try:
        yield
    finally:
        kubectl(cluster, "delete", "--ignore-not-found", "-f", "-", stdin=text)


@contextmanager
def scripts(nodes: Sequence[str], do: str, undo: str) -> Iterator[None]:
    """Run a shell script on nodes, and another one afterwards."""
    with ExitStack() as undone:
        for node in nodes:
            undone.callback(on_node, node, undo)
            on_node(node, do)
        yield


@contextmanager
def running(node: str, script: str) -> Iterator[None]:
    """Let a shell script run on a node beside what is done."""
    name = f"odd-{abs(hash(script)) % 10**8}"
    on_node(node, f"systemd-run --quiet --unit {name} sh -c '{script}'")
    try:
        yield
    finally:
        on_node(node, f"systemctl stop {name} || true")


@contextmanager
def in_every_new_namespace(cluster: Cluster, body: Mapping[str, Any]) -> Iterator[None]:
    """Put an object into each namespace that a run makes, as a policy engine does."""
    node, file = f"{cluster.name}-control-plane", "/root/generated.json"
    must_run(
        ["docker", "exec", "-i", node, "sh", "-c", f"cat > {file}"],
        timeout=30,
        stdin=json.dumps(body),
    )
    watch = f"{KUBECTL} get namespaces --watch-only --output name"
    apply = f"{KUBECTL} -n ${{namespace#namespace/}} create -f {file}"
    loop = f"{watch} | grep --line-buffered /ipv6k8s- | while read namespace; do {apply}; done"
    with running(node, loop):
        yield
