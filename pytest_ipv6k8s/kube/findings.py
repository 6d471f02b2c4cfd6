"""What the API says of the places where a check is red: endpoints, workloads, nodes, agents.

Only what is not as it should be is told; a list that we may not read, or that is not there, is not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.kube import paths, status
from pytest_ipv6k8s.kube.client import Api, Object, readable

_MOST_NODES = 5
_WORKLOADS = {
    "Deployment": ("deployments", "replicas", "readyReplicas"),
    "DaemonSet": ("daemonsets", "desiredNumberScheduled", "numberReady"),
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


def findings(
    api: Api, *, addresses: Collection[str], nodes: Collection[str]
) -> tuple[Finding, ...]:
    """Return what is not as it should be behind these addresses and on these nodes.

    Args:
        api: the API server.
        addresses: that were asked; those of Services are looked at.
        nodes: by name, from which or on which was asked.
    """
    return (*_of_services(api, addresses), *_of_nodes(api, sorted(nodes)[:_MOST_NODES]))


def _of_services(api: Api, addresses: Collection[str]) -> Iterator[Finding]:
    for service in readable(api, paths.ALL_SERVICES) if addresses else ():
        spec = service["spec"]
        asked = [ip for ip in spec.get("clusterIPs") or () if ip in addresses]
        if asked:
            namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
            yield from _of_workloads(api, namespace, spec.get("selector") or {})
            for family in sorted({Family.of(ip) for ip in asked}, key=lambda f: f.value):
                yield from _of_endpoints(api, namespace, name, family)


def _of_endpoints(api: Api, namespace: str, name: str, family: Family) -> Iterator[Finding]:
    label = f"kubernetes.io/service-name={name}"
    ready = [
        (endpoint.get("conditions") or {}).get("ready") is not False
        for item in readable(api, paths.endpoint_slices(namespace), labelSelector=label)
        if item.get("addressType") == family.value
        for endpoint in item.get("endpoints") or ()
    ]
    if not ready or not all(ready):
        yield Finding(
            text=f"Service {namespace}/{name} has {sum(ready)} of {len(ready)} {family.value} "
            "endpoints ready",
            look=f"kubectl -n {namespace} get endpointslices -l {label} -o wide",
        )


def _of_workloads(api: Api, namespace: str, selector: Mapping[str, str]) -> Iterator[Finding]:
    for kind, (resource, wanted_in, ready_in) in _WORKLOADS.items() if selector else ():
        for item in readable(api, paths.inside(namespace, resource)):
            labels = item["spec"]["template"]["metadata"].get("labels") or {}
            if not selector.items() <= labels.items():
                continue
            seen, name = item.get("status") or {}, item["metadata"]["name"]
            wanted = item["spec"].get(wanted_in, seen.get(wanted_in, 0))
            ready = seen.get(ready_in, 0)
            if ready < wanted or not wanted:
                yield Finding(
                    text=f"{kind} {namespace}/{name}: {ready} of {wanted} replicas ready",
                    look=f"kubectl -n {namespace} describe {kind.lower()} {name}",
                    fix=_fix_of_workload(kind, namespace, item, selector),
                )


def _fix_of_workload(kind: str, namespace: str, item: Object, selector: Mapping[str, str]) -> str:
    name = item["metadata"]["name"]
    if kind == "Deployment" and item["spec"].get("replicas") == 0:
        return f"Scale it up: `kubectl -n {namespace} scale deployment {name} --replicas=2`."
    labels = ",".join(f"{key}={value}" for key, value in selector.items())
    told = f"`kubectl -n {namespace} describe pods -l {labels}` tells what they wait for"
    return f"Make the pods of {kind} {namespace}/{name} Ready: {told}."


def _of_nodes(api: Api, nodes: Collection[str]) -> Iterator[Finding]:
    if not nodes:
        return
    known = {node["metadata"]["name"]: node for node in readable(api, paths.NODES)}
    agents = readable(api, paths.ALL_DAEMONSETS)
    for name in nodes:
        for condition in status.conditions(known.get(name, {})):
            if condition["status"] != str(condition["type"] == "Ready"):
                yield Finding(
                    text=f"node {name}: {condition['type']} is {condition['status']} "
                    f"({condition.get('reason', '')})",
                    look=f"kubectl describe node {name}",
                    fix=_FIXED_BY.get(condition["type"], "").format(node=name),
                )
        yield from _of_agents(api, name, agents)


def _of_agents(api: Api, node: str, agents: Collection[Object]) -> Iterator[Finding]:
    """Yield the agents in the node's network, such as kube-proxy, that do not run there."""
    pods = readable(api, paths.ALL_PODS, fieldSelector=f"spec.nodeName={node}")
    for agent in agents:
        if not agent["spec"]["template"]["spec"].get("hostNetwork"):
            continue
        namespace, name = agent["metadata"]["namespace"], agent["metadata"]["name"]
        own = [pod for pod in pods if _is_of(pod, agent)]
        trouble = (
            "has no pod"
            if not own
            else "is not Ready"
            if not any(map(status.is_ready, own))
            else ""
        )
        if trouble:
            yield Finding(
                text=f"DaemonSet {namespace}/{name} {trouble} on node {node}",
                look=f"kubectl -n {namespace} describe daemonset {name}",
                fix=f"Let DaemonSet {namespace}/{name} run on node {node}: "
                f"`kubectl -n {namespace} get pods -o wide --field-selector spec.nodeName={node}`.",
            )


def _is_of(pod: Object, owner: Object) -> bool:
    owners = pod["metadata"].get("ownerReferences") or ()
    return any(one.get("uid") == owner["metadata"]["uid"] for one in owners)
