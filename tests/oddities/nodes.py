"""Nodes that take no probe, and nodes that come and go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.oddities.changing import KUBECTL, last_node, objects, running
from tests.oddities.oddity import Oddity
from tests.real import kubectl


@contextmanager
def _cordoned(cluster: Cluster) -> Iterator[None]:
    node = last_node(cluster)
    kubectl(cluster, "cordon", node)
    try:
        yield
    finally:
        kubectl(cluster, "uncordon", node)


@contextmanager
def _cordoned_during_the_run(cluster: Cluster) -> Iterator[None]:
    node = last_node(cluster)
    pods = f"{KUBECTL} get pods --all-namespaces --selector ipv6k8s/run --no-headers"
    script = f"until {pods} | grep -q Running; do sleep 1; done; {KUBECTL} cordon {node}"
    try:
        with running(f"{cluster.name}-control-plane", script):
            yield
    finally:
        kubectl(cluster, "uncordon", node)


@contextmanager
def _joining(cluster: Cluster) -> Iterator[None]:
    """Register a node whose kubelet has said nothing yet: no address, no condition."""
    labels = {"kubernetes.io/os": "linux", "kubernetes.io/hostname": "joining"}
    metadata = {"name": "joining", "labels": labels}
    with objects(cluster, {"apiVersion": "v1", "kind": "Node", "metadata": metadata}):
        yield


ODDITIES = [
    Oddity(name="cordoned-node", changed=_cordoned),
    Oddity(name="node-cordoned-during-the-run", changed=_cordoned_during_the_run),
    Oddity(name="joining-node", changed=_joining),
]
