"""Ways to change a cluster for a while."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from pytest_ipv6k8s.clusters.contract import Cluster
from pytest_ipv6k8s.process import must_run
from pytest_ipv6k8s.waiting import poll
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
    """Let a shell script run on a node beside what is done.

    It goes there as a file: systemd would put its own variables into a command.
    """
    name = f"odd-{abs(hash(script)) % 10**8}"
    file = f"/root/{name}.sh"
    write_on_node(node, file, script)
    on_node(node, f"systemd-run --quiet --unit {name} sh {file}")
    try:
        yield
    finally:
        on_node(node, f"systemctl stop {name} || true")


def write_on_node(node: str, file: str, text: str) -> None:
    """Write a file on a node."""
    must_run(["docker", "exec", "-i", node, "sh", "-c", f"cat > {file}"], timeout=30, stdin=text)


@contextmanager
def in_every_new_namespace(cluster: Cluster, body: Mapping[str, Any]) -> Iterator[None]:
    """Put an object into each namespace that a run makes, as a policy engine does."""
    node, file = f"{cluster.name}-control-plane", "/root/generated.json"
    write_on_node(node, file, json.dumps(body))
    watch = f"{KUBECTL} get namespaces --watch --output name"
    apply = f"{KUBECTL} -n ${{namespace#namespace/}} create -f {file}"
    loop = f"{watch} | grep --line-buffered /ipv6k8s- | while read namespace; do {apply}; done"
    with running(node, loop):
        _expect_generated(cluster, body["kind"], body["metadata"]["name"])
        yield


def _expect_generated(cluster: Cluster, kind: str, name: str) -> None:
    """See that the object comes, in a namespace that is named as those of runs are."""
    with namespace(cluster, "ipv6k8s-odd"):
        expect_shown(cluster, f"-n ipv6k8s-odd get {kind} -o name", name)


@contextmanager
def namespace(cluster: Cluster, name: str) -> Iterator[None]:
    """Have a namespace."""
    kubectl(cluster, "create", "namespace", name)
    try:
        yield
    finally:
        kubectl(cluster, "delete", "namespace", name)


def expect_shown(cluster: Cluster, words: str, pattern: str) -> None:
    """See that kubectl says something, also when it fails: what is odd is there from now on."""
    script = f"{KUBECTL} {words} 2>&1 || true"
    said = poll(
        lambda: on_node(f"{cluster.name}-control-plane", script),
        lambda found: bool(re.search(pattern, found)),
        timeout=30,
        interval=1,
    )
    assert re.search(pattern, said), f"{pattern!r} is not what `kubectl {words}` says: {said}"


@contextmanager
def counted(count: Callable[[], int], what: str) -> Iterator[None]:
    """See that what is odd was met while it was there: a count of it has risen."""
    before = count()
    yield
    assert count() > before, f"{what} met nothing"
