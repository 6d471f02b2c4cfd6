"""Whose an address is: a pod's, a node's, a Service's, or none of the cluster's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_ipv6k8s.kube import paths, status
from pytest_ipv6k8s.kube.client import Api, readable
from pytest_ipv6k8s.kube.inventory import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where packets to an address end.

    Attributes:
        name: of the pod or the Service; empty of others.
        nodes: on which it ends: one, those of a Service's endpoints, or none.
        virtual: whether it is a Service's, which no interface has.
    """

    name: str = ""
    nodes: tuple[str, ...] = ()
    virtual: bool = False


def place_of(
    api: Api, address: str, nodes: Sequence[Node], known: Mapping[str, Place] | None = None
) -> Place:
    """Return whose an address is.

    Args:
        api: the API server.
        address: a literal.
        nodes: of the cluster.
        known: pods by their addresses, where nobody else's are of interest; all are asked for
            without.
    """
    for node in nodes:
        if address in (*node.internal_ips, *node.external_ips):
            return Place(name=f"node {node.name}", nodes=(node.name,))
    if known is not None and address in known:
        return known[address]
    return _of_service(api, address) or (_of_pod(api, address) if known is None else Place())


def _of_service(api: Api, address: str) -> Place | None:
    for service in readable(api, paths.ALL_SERVICES):
        if address not in (service["spec"].get("clusterIPs") or ()):
            continue
        namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
        label = f"{paths.SERVICE_OF_SLICE}={name}"
        slices = readable(api, paths.endpoint_slices(namespace), labelSelector=label)
        endpoints = [one for item in slices for one in item.get("endpoints") or ()]
        nodes = dict.fromkeys(one["nodeName"] for one in endpoints if one.get("nodeName"))
        return Place(name=f"Service {namespace}/{name}", nodes=tuple(nodes), virtual=True)
    return None


def _of_pod(api: Api, address: str) -> Place:
    for pod in readable(api, paths.ALL_PODS):
        if address in status.pod_ips(pod):
            name = f"pod {pod['metadata']['name']}"
            return Place(name=name, nodes=(pod["spec"].get("nodeName", ""),))
    return Place()
