"""What is not as it should be among objects of the API: workloads, endpoints, pods and nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.kube import paths, status
from pytest_ipv6k8s.kube.client import Object
from pytest_ipv6k8s.kube.objects import RUN_LABEL

WORKLOADS = {"Deployment": "deployments", "DaemonSet": "daemonsets"}
_WANTED_READY = {
    "Deployment": ("replicas", "readyReplicas"),
    "DaemonSet": ("desiredNumberScheduled", "numberReady"),
}
_FIXED_BY = {
    "Ready": "Bring node {node} back: its kubelet's log tells what it lacks.",
    "NetworkUnavailable": "Let the CNI's agent or the cloud set up the network of node {node}.",
}
"""For conditions of nodes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        text: what it is, as a clause.
        look: a command that shows more of it.
        fix: what to change, as a sentence; empty where that has to be found out first.
    """

    text: str
    look: str
    fix: str = ""


def replicas(kind: str, item: Object) -> tuple[int, int]:
    """Return how many pods of a Deployment or a DaemonSet are ready, and how many are wanted."""
    wanted_in, ready_in = _WANTED_READY[kind]
    seen = item.get("status") or {}
    return seen.get(ready_in, 0), item["spec"].get(wanted_in, seen.get(wanted_in, 0))


def selects(selector: Mapping[str, str], item: Object) -> bool:
    """Tell whether a Service's selector means the pods of a workload."""
    labels = item["spec"]["template"]["metadata"].get("labels") or {}
    return bool(selector) and selector.items() <= labels.items()


def of_workload(kind: str, namespace: str, item: Object) -> Finding:
    """Return that a Deployment or a DaemonSet has fewer pods than it should have."""
    ready, wanted = replicas(kind, item)
    name = item["metadata"]["name"]
    return Finding(
        text=f"{kind} {namespace}/{name}: {ready} of {wanted} replicas ready",
        look=f"kubectl -n {namespace} describe {kind.lower()} {name}",
        fix=_fix_of_workload(kind, namespace, item),
    )


def _fix_of_workload(kind: str, namespace: str, item: Object) -> str:
    name = item["metadata"]["name"]
    if kind == "Deployment" and item["spec"].get("replicas") == 0:
        return f"Scale it up: `kubectl -n {namespace} scale deployment {name} --replicas=2`."
    wanted = (item["spec"].get("selector") or {}).get("matchLabels") or {}
    labels = ",".join(f"{key}={value}" for key, value in wanted.items())
    of = f" -l {labels}" if labels else ""
    told = f"`kubectl -n {namespace} describe pods{of}` tells what they wait for"
    return f"Make the pods of {kind} {namespace}/{name} Ready: {told}."


def ready_of(slices: Iterable[Object], family: Family) -> list[bool]:
    """Return for each endpoint of a family whether it is ready."""
    return [
        status.is_endpoint_ready(endpoint)
        for item in slices
        if item.get("addressType") == family.value
        for endpoint in item.get("endpoints") or ()
    ]


def of_endpoints(namespace: str, name: str, family: Family, ready: Sequence[bool]) -> Finding:
    """Return that a Service lacks endpoints of a family."""
    label = f"{paths.SERVICE_OF_SLICE}={name}"
    return Finding(
        text=f"Service {namespace}/{name} has {sum(ready)} of {len(ready)} {family.value} "
        "endpoints ready",
        look=f"kubectl -n {namespace} get endpointslices -l {label} -o wide",
    )


def of_node(node: Object) -> Iterator[Finding]:
    """Yield the conditions of a node that are not as they should be."""
    name = node["metadata"]["name"]
    for condition in status.conditions(node):
        if condition["status"] != str(condition["type"] == "Ready"):
            yield Finding(
                text=f"node {name}: {condition['type']} is {condition['status']} "
                f"({condition.get('reason', '')})",
                look=f"kubectl describe node {name}",
                fix=_FIXED_BY.get(condition["type"], "").format(node=name),
            )


def of_pod(pod: Object) -> Iterator[Finding]:
    """Yield that a pod is not Ready, unless it has come to its end."""
    meta, phase = pod["metadata"], pod.get("status", {}).get("phase", "")
    if status.is_ready(pod) or phase == "Succeeded":
        return
    where = pod.get("spec", {}).get("nodeName") or "no node"
    yield Finding(
        text=f"pod {meta['namespace']}/{meta['name']} on {where} is not Ready "
        f"({status.in_short(pod)})",
        look=f"kubectl -n {meta['namespace']} describe pod {meta['name']}",
    )


def among(objects: Mapping[str, Sequence[Object]]) -> tuple[Finding, ...]:
    """Return what is odd among the objects of several namespaces, the likeliest causes first.

    Nobody has to be asked for it. Services of a run of ours are left out: some lack endpoints on
    purpose.

    Args:
        objects: by kind, as paths have it, such as ``endpointslices``.
    """
    nodes = [odd for node in objects.get("nodes", ()) for odd in of_node(node)]
    pods = [odd for pod in objects.get("pods", ()) for odd in of_pod(pod)]
    return (*nodes, *_workloads(objects), *_endpoints(objects), *pods)


def _workloads(objects: Mapping[str, Sequence[Object]]) -> Iterator[Finding]:
    """Yield those below what they want; wanting none is odd where a Service means their pods."""
    for kind, resource in WORKLOADS.items():
        for item in objects.get(resource, ()):
            namespace, (ready, wanted) = item["metadata"]["namespace"], replicas(kind, item)
            meant = any(
                selects((service.get("spec") or {}).get("selector") or {}, item)
                for service in objects.get("services", ())
                if service["metadata"]["namespace"] == namespace
            )
            if ready < wanted or (kind == "Deployment" and not wanted and meant):
                yield of_workload(kind, namespace, item)


def _endpoints(objects: Mapping[str, Sequence[Object]]) -> Iterator[Finding]:
    for service in objects.get("services", ()):
        meta, spec = service["metadata"], service.get("spec") or {}
        if not spec.get("selector") or RUN_LABEL in (meta.get("labels") or {}):
            continue
        slices = [
            item
            for item in objects.get("endpointslices", ())
            if item["metadata"]["namespace"] == meta["namespace"]
            and (item["metadata"].get("labels") or {}).get(paths.SERVICE_OF_SLICE) == meta["name"]
        ]
        for family in map(Family, spec.get("ipFamilies") or ()):
            ready = ready_of(slices, family)
            if not any(ready):
                yield of_endpoints(meta["namespace"], meta["name"], family, ready)
