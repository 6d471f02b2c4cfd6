"""What the API says of the places where a check is red: endpoints, workloads, nodes, agents.

Only what is not as it should be is told; a list that we may not read, or that is not there, is not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from pytest_ipv6k8s.addresses import Family, in_any
from pytest_ipv6k8s.kube import odd, paths, status
from pytest_ipv6k8s.kube.client import Api, Object, readable
from pytest_ipv6k8s.kube.objects import NOBODY, RUN_LABEL
from pytest_ipv6k8s.kube.odd import Finding

_MOST_NODES = 5


def findings(
    api: Api,
    *,
    addresses: Collection[str],
    nodes: Collection[str],
    service_cidrs: Collection[str] = (),
) -> tuple[Finding, ...]:
    """Return what is not as it should be behind these addresses and on these nodes.

    Args:
        api: the API server.
        addresses: that were asked; those of Services are looked at.
        nodes: by name, from which or on which was asked.
        service_cidrs: in which every address is a Service's, or nobody's.
    """
    services = readable(api, paths.ALL_SERVICES) if addresses else ()
    nobodys = _of_nobody(services, addresses, service_cidrs)
    return (
        *nobodys,
        *_of_services(api, services, addresses),
        *_of_nodes(api, sorted(nodes)[:_MOST_NODES]),
    )


def without_route(nodes: Iterable[str]) -> Iterator[Finding]:
    """Yield what is wrong with nodes in whose network a process got ENETUNREACH (connect(2))."""
    for node in sorted(set(nodes)):
        yield Finding(
            text=f"node {node} has no route there (ENETUNREACH)",
            look="ip -6 route; ip -4 route; ip -6 rule (on the node)",
            fix=f"Give node {node} a route; a default route is enough, for cluster IPs, too.",
        )


def _of_nobody(
    services: Collection[Object], addresses: Collection[str], cidrs: Collection[str]
) -> Iterator[Finding]:
    known = {ip for service in services for ip in service["spec"].get("clusterIPs") or ()}
    for address in sorted(set(addresses) - known) if known else ():
        if in_any(address, cidrs):
            yield Finding(text=f"no Service has {address}", look="kubectl get services -A -o wide")


def _of_services(
    api: Api, services: Collection[Object], addresses: Collection[str]
) -> Iterator[Finding]:
    for service in services:
        spec = service["spec"]
        asked = [ip for ip in spec.get("clusterIPs") or () if ip in addresses]
        if asked and not _is_empty_on_purpose(service):
            namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
            yield from _of_workloads(api, namespace, spec.get("selector") or {})
            for family in sorted({Family.of(ip) for ip in asked}, key=lambda f: f.value):
                yield from _of_endpoints(api, namespace, name, family)


def _is_empty_on_purpose(service: Object) -> bool:
    ours = RUN_LABEL in (service["metadata"].get("labels") or {})
    return ours and NOBODY in (service["spec"].get("selector") or {}).values()


def _of_endpoints(api: Api, namespace: str, name: str, family: Family) -> Iterator[Finding]:
    label = f"{paths.SERVICE_OF_SLICE}={name}"
    slices = readable(api, paths.endpoint_slices(namespace), labelSelector=label)
    ready = odd.ready_of(slices, family)
    if not ready or not all(ready):
        yield odd.of_endpoints(namespace, name, family, ready)


def _of_workloads(api: Api, namespace: str, selector: Mapping[str, str]) -> Iterator[Finding]:
    for kind, resource in odd.WORKLOADS.items() if selector else ():
        for item in readable(api, paths.inside(namespace, resource)):
            ready, wanted = odd.replicas(kind, item)
            if odd.selects(selector, item) and (ready < wanted or not wanted):
                yield odd.of_workload(kind, namespace, item)


def _of_nodes(api: Api, nodes: Collection[str]) -> Iterator[Finding]:
    if not nodes:
        return
    known = {node["metadata"]["name"]: node for node in readable(api, paths.NODES)}
    agents = readable(api, paths.ALL_DAEMONSETS)
    for name in nodes:
        if name in known:
            yield from odd.of_node(known[name])
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
