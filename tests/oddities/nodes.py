"""Nodes that take no probe, and nodes that come and go."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.oddities.changing import KUBECTL, last_node, objects, running, scripts
from tests.oddities.oddity import Oddity
from tests.real import kubectl


@contextmanager
def _tainted(cluster: Cluster) -> Iterator[None]:
    node, taint = last_node(cluster), "nvidia.com/gpu"
    kubectl(cluster, "taint", "node", node, f"{taint}=present:NoSchedule")
    try:
        yield
    finally:
        kubectl(cluster, "taint", "node", node, f"{taint}-")


@contextmanager
def _cordoned(cluster: Cluster) -> Iterator[None]:
    node = last_node(cluster)
    kubectl(cluster, "cordon", node)
    try:
        yield
    finally:
        kubectl(cluster, "uncordon", node)


@contextmanager
def _other_hostname(cluster: Cluster) -> Iterator[None]:
    """Name a node in its label as its machine is named, which is not the node's own name."""
    node, label = last_node(cluster), "kubernetes.io/hostname"
    kubectl(cluster, "label", "node", node, f"{label}=machine-7", "--overwrite")
    try:
        yield
    finally:
        kubectl(cluster, "label", "node", node, f"{label}={node}", "--overwrite")


@contextmanager
def _cordoned_during_the_run(cluster: Cluster) -> Iterator[None]:
    node = last_node(cluster)
    pods = f"{KUBECTL} get pods --all-namespaces --selector ipv6k8s/run --no-headers"
    script = f"until {pods} | grep -q Running; do sleep 1; done; {KUBECTL} cordon {node}"
    try:
        with running(f"{cluster.name}-control-plane", script):
            yield
        shown = kubectl(cluster, "get", "node", node, "-o", "jsonpath={.spec.unschedulable}")
        assert shown == "true", f"node {node} was not cordoned during the run"
    finally:
        kubectl(cluster, "uncordon", node)


@contextmanager
def _joining(cluster: Cluster) -> Iterator[None]:
    """Register a node whose kubelet has said nothing yet: no address, no condition."""
    labels = {"kubernetes.io/os": "linux", "kubernetes.io/hostname": "joining"}
    metadata = {"name": "joining", "labels": labels}
    with objects(cluster, {"apiVersion": "v1", "kind": "Node", "metadata": metadata}):
        yield


@contextmanager
def _full(cluster: Cluster) -> Iterator[None]:
    """Ask for all of the CPU that the node has left."""
    node = last_node(cluster)
    free = _free_cpu(cluster, node)
    container = {
        "name": "pause",
        "image": _pause_image(cluster),
        "resources": {"requests": {"cpu": f"{free}m"}},
    }
    affinity = {"nodeName": node, "terminationGracePeriodSeconds": 0}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "big", "namespace": "default"},
        "spec": {**affinity, "containers": [container]},
    }
    with objects(cluster, pod):
        kubectl(cluster, "wait", "--for=condition=Ready", "pod/big", "--timeout=60s")
        yield


def _free_cpu(cluster: Cluster, node: str) -> int:
    found = json.loads(kubectl(cluster, "get", "node", node, "-o", "json"))
    where = ("--all-namespaces", f"--field-selector=spec.nodeName={node}", "-o", "json")
    pods = json.loads(kubectl(cluster, "get", "pods", *where))["items"]
    asked = sum(_cpu_of(container) for pod in pods for container in pod["spec"]["containers"])
    return int(_milli(found["status"]["allocatable"]["cpu"]) - asked)


def _cpu_of(container: dict[str, Any]) -> int:
    return _milli(container.get("resources", {}).get("requests", {}).get("cpu", "0"))


def _milli(quantity: str) -> int:
    return int(quantity[:-1]) if quantity.endswith("m") else int(quantity) * 1000


def _pause_image(cluster: Cluster) -> str:
    images = kubectl(cluster, "get", "nodes", "-o", "jsonpath={.items[0].status.images[*].names}")
    names: list[str] = json.loads(images.replace("][", ",").replace("] [", ","))
    return next(name for name in names if "/pause:" in name)


@contextmanager
def _image_on_all_but_one(cluster: Cluster) -> Iterator[None]:
    """Take the probe image from a node that cannot pull it."""
    image = f"docker.io/{os.environ['IPV6K8S_PROBE_IMAGE']}"
    images, kept = "ctr -n k8s.io images", "kept.test/probe:1"
    do = f"{images} tag {image} {kept}; {images} rm {image}"
    undo = f"{images} tag {kept} {image} || true; {images} rm {kept}"
    with scripts([last_node(cluster)], do, undo):
        yield


ODDITIES = [
    Oddity(name="tainted-node", changed=_tainted, told="nvidia.com/gpu"),
    Oddity(name="cordoned-node", changed=_cordoned),
    Oddity(name="hostname-label-of-the-machine", changed=_other_hostname),
    Oddity(name="node-cordoned-during-the-run", changed=_cordoned_during_the_run),
    Oddity(name="joining-node", changed=_joining),
    Oddity(name="full-node", changed=_full, told="(?i)insufficient cpu"),
    Oddity(name="image-missing-on-a-node", changed=_image_on_all_but_one, told="image"),
]
