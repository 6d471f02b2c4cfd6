"""What others put upon pods of ours: NetworkPolicies that select them, containers beside theirs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_ipv6k8s.kube.client import Api, readable
from pytest_ipv6k8s.kube.objects import CONTAINER, RUN_LABEL

_POLICIES = {
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "CiliumNetworkPolicy": "/apis/cilium.io/v2/namespaces/{}/ciliumnetworkpolicies",
    "Calico NetworkPolicy": "/apis/projectcalico.org/v3/namespaces/{}/networkpolicies",
}
"""Policies of a namespace, and where the API server has them, if it knows them."""

_OF_KUBERNETES = "knp."
"""Begins the names under which Calico shows NetworkPolicies once more."""


def policies(api: Api, namespace: str, labels: Mapping[str, str]) -> list[str]:
    """Return the policies of others in a namespace that select, or may select, a pod of ours.

    Args:
        api: the API server.
        namespace: of our pods.
        labels: those of the pod.
    """
    return [
        f"{kind} {item['metadata']['name']} in namespace {namespace}"
        for kind, path in _POLICIES.items()
        for item in readable(api, path.format(namespace))
        if RUN_LABEL not in (item["metadata"].get("labels") or {})
        and not item["metadata"]["name"].startswith(_OF_KUBERNETES)
        and _may_select(item.get("spec") or {}, labels)
    ]


def _may_select(spec: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Tell whether a policy may select a pod; only plain labels are sure to rule one out."""
    selector = spec.get("podSelector") or spec.get("endpointSelector") or {}
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(key.removeprefix("any:")) == value for key, value in wanted.items())


def containers(pod: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of a pod's containers that are not ours: a mesh's, an agent's."""
    spec = pod.get("spec") or {}
    for kind in ("initContainers", "containers"):
        for container in spec.get(kind) or []:
            if container["name"] != CONTAINER:
                yield container["name"]
