"""Paths of the API server, by the names of the objects there."""

from __future__ import annotations

from urllib.parse import quote

NODES = "/api/v1/nodes"
ALL_PODS = "/api/v1/pods"
ALL_SERVICES = "/api/v1/services"
NAMESPACES = "/api/v1/namespaces"
ALL_DAEMONSETS = "/apis/apps/v1/daemonsets"
SERVICE_CIDRS = "/apis/networking.k8s.io/v1/servicecidrs"
KUBE_SYSTEM = "kube-system"

_GROUPS = {
    "configmaps": "/api/v1",
    "daemonsets": "/apis/apps/v1",
    "deployments": "/apis/apps/v1",
    "endpointslices": "/apis/discovery.k8s.io/v1",
    "events": "/api/v1",
    "leases": "/apis/coordination.k8s.io/v1",
    "networkpolicies": "/apis/networking.k8s.io/v1",
    "pods": "/api/v1",
    "secrets": "/api/v1",
    "serviceaccounts": "/api/v1",
    "services": "/api/v1",
}


def namespace(name: str) -> str:
    """Return the path of a namespace."""
    return f"{NAMESPACES}/{quote(name)}"


def inside(namespace: str, kind: str, name: str = "") -> str:
    """Return the path of the objects of a kind in a namespace, or of one of them.

    Args:
        namespace: its name.
        kind: in the plural, as the API has it: ``endpointslices``.
        name: of the object; without one it is the path of the list.

    Raises:
        KeyError: no kind that we use.
    """
    path = f"{_GROUPS[kind]}/namespaces/{quote(namespace)}/{kind}"
    return f"{path}/{quote(name)}" if name else path


def pods(namespace: str) -> str:
    """Return the path of a namespace's pods."""
    return inside(namespace, "pods")


def pod(namespace: str, name: str) -> str:
    """Return the path of a pod."""
    return inside(namespace, "pods", name)


def log(namespace: str, name: str) -> str:
    """Return the path of a pod's log."""
    return f"{pod(namespace, name)}/log"


def exec_in(namespace: str, name: str) -> str:
    """Return the path at which a program is started in a pod."""
    return f"{pod(namespace, name)}/exec"


def services(namespace: str) -> str:
    """Return the path of a namespace's Services."""
    return inside(namespace, "services")


SERVICE_OF_SLICE = "kubernetes.io/service-name"
"""The label of an EndpointSlice that names its Service."""


def endpoint_slices(namespace: str) -> str:
    """Return the path of a namespace's EndpointSlices."""
    return inside(namespace, "endpointslices")


def config_map(namespace: str, name: str) -> str:
    """Return the path of a ConfigMap."""
    return inside(namespace, "configmaps", name)
