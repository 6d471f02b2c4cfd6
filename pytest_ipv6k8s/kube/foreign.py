"""What others put upon pods of ours: policies that select them, containers beside theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_ipv6k8s.kube import paths
from pytest_ipv6k8s.kube.client import Api, ApiError
from pytest_ipv6k8s.kube.objects import CONTAINER, RUN_LABEL
from pytest_ipv6k8s.kube.selectors import NAMESPACE_NAME, Pod, by_calico, by_cilium, by_labels
from pytest_ipv6k8s.threads import at_once

Spec = Mapping[str, Any]
_REFUSING = ("Deny", "Drop", "Reject")


def _kubernetes(spec: Spec, pod: Pod) -> bool:
    return by_labels(spec.get("podSelector"), pod.labels)


def _cilium(spec: Spec, pod: Pod) -> bool:
    """Tell whether a rule isolates a pod; one with a ``nodeSelector`` is about nodes."""
    default = spec.get("enableDefaultDeny") or {}
    shuts = any(
        spec.get(f"{direction}Deny")
        or (spec.get(direction) is not None and default.get(direction, True))
        for direction in ("ingress", "egress")
    )
    about_pods = "nodeSelector" not in spec
    return about_pods and shuts and by_cilium(spec.get("endpointSelector"), pod)


def _calico(spec: Spec, pod: Pod) -> bool:
    labels = {**pod.namespace_labels, "projectcalico.org/name": pod.namespace}
    namespace = spec.get("namespaceSelector") or ""
    return by_calico(spec.get("selector"), pod.labels) and (
        "projectcalico.org/name" in namespace or by_calico(namespace, labels)
    )


def _admin(spec: Spec, pod: Pod) -> bool:
    """Tell whether a pod is the subject; without a Deny nothing is shut (KEP-2091)."""
    subject = spec.get("subject") or {}
    pods = subject.get("pods") or {}
    namespaces = subject.get("namespaces", pods.get("namespaceSelector"))
    return (
        _refuses(spec)
        and by_labels(namespaces, pod.namespace_labels)
        and by_labels(pods.get("podSelector"), pod.labels)
    )


def _antrea(spec: Spec, pod: Pod) -> bool:
    """Tell whether a pod is one to which it is applied; rules may have an ``appliedTo``, too."""
    applied = spec.get("appliedTo") or [{}]
    return _refuses(spec) and any(
        by_labels(one.get("podSelector"), pod.labels)
        and by_labels(one.get("namespaceSelector"), pod.namespace_labels)
        for one in applied
    )


def _refuses(spec: Spec) -> bool:
    rules = [*(spec.get("ingress") or ()), *(spec.get("egress") or ())]
    return any(rule.get("action") in _REFUSING for rule in rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """A kind of policy: where the API server has it, if it knows it, and whom one selects."""

    name: str
    group: str
    resource: str
    selects: Callable[[Spec, Pod], bool]
    of_namespace: bool = False

    def path(self, namespace: str) -> str:
        inside = f"namespaces/{namespace}/" if self.of_namespace else ""
        return f"/apis/{self.group}/{inside}{self.resource}"


_V1ALPHA1 = "policy.networking.k8s.io/v1alpha1"
_NETPOL, _ADMIN = "networkpolicies", "adminnetworkpolicies"
_BASELINE = "baselineadminnetworkpolicies"
_CLUSTER, _GLOBAL = "clusternetworkpolicies", "globalnetworkpolicies"
_CNP, _CCNP = "ciliumnetworkpolicies", "ciliumclusterwidenetworkpolicies"
_KINDS = tuple(
    _Kind(name=name, group=group, resource=resource, selects=selects, of_namespace=inside)
    for name, group, resource, selects, inside in (
        ("NetworkPolicy", "networking.k8s.io/v1", _NETPOL, _kubernetes, True),
        ("AdminNetworkPolicy", _V1ALPHA1, _ADMIN, _admin, False),
        ("BaselineAdminNetworkPolicy", _V1ALPHA1, _BASELINE, _admin, False),
        ("ClusterNetworkPolicy", "policy.networking.k8s.io/v1alpha2", _CLUSTER, _admin, False),
        ("ClusterNetworkPolicy", "policy.networking.k8s.io/v1beta1", _CLUSTER, _admin, False),
        ("CiliumNetworkPolicy", "cilium.io/v2", _CNP, _cilium, True),
        ("CiliumClusterwideNetworkPolicy", "cilium.io/v2", _CCNP, _cilium, False),
        ("Calico NetworkPolicy", "projectcalico.org/v3", _NETPOL, _calico, True),
        ("Calico NetworkPolicy", "crd.projectcalico.org/v1", _NETPOL, _calico, True),
        ("Calico GlobalNetworkPolicy", "projectcalico.org/v3", _GLOBAL, _calico, False),
        ("Calico GlobalNetworkPolicy", "crd.projectcalico.org/v1", _GLOBAL, _calico, False),
        ("Antrea NetworkPolicy", "crd.antrea.io/v1beta1", _NETPOL, _antrea, True),
        ("Antrea ClusterNetworkPolicy", "crd.antrea.io/v1beta1", _CLUSTER, _antrea, False),
    )
)
"""KEP-2091 and kubernetes-sigs/network-policy-api; Cilium's, Calico's and Antrea's references.

Calico's are also met where its own API server is not installed.
"""
RESOURCES = tuple(dict.fromkeys((kind.group.partition("/")[0], kind.resource) for kind in _KINDS))
"""Group and resource of all of them."""

_OF_KUBERNETES = "knp."
"""Begins the names under which Calico shows NetworkPolicies once more."""

_OF_THE_TIER = "default."
"""Begins the names of Calico's policies of the usual tier, in the one API and not in the other."""


def policies(api: Api, namespace: str, labels: Mapping[str, str]) -> list[str]:
    """Return the policies of others that isolate, or may isolate, a pod of ours.

    What the API server does not know, or does not let us read, is left out.

    Args:
        api: the API server.
        namespace: of our pods.
        labels: those of the pod.
    """
    of = _labels_of(api, namespace)
    pod = Pod(namespace=namespace, labels=labels, namespace_labels=of)
    listed = at_once(lambda kind: _read(api, kind.path(namespace)), _KINDS)
    found = [
        f"{kind.name} {item['metadata']['name'].removeprefix(_OF_THE_TIER)}"
        + (f" in namespace {namespace}" if kind.of_namespace else "")
        for kind, items in zip(_KINDS, listed, strict=True)
        for item in items
        if RUN_LABEL not in (item["metadata"].get("labels") or {})
        and not item["metadata"]["name"].startswith(_OF_KUBERNETES)
        and any(kind.selects(spec, pod) for spec in _specs(item))
    ]
    return list(dict.fromkeys(found))


def _read(api: Api, path: str) -> list[Any]:
    """Return a list, or nothing: an extension may be not installed, not ours to read, or broken."""
    try:
        return api.items(path)
    except ApiError:
        return []


def _specs(item: Mapping[str, Any]) -> list[Spec]:
    """Return the specs of a policy: Cilium's may have several, and no other then."""
    several = item.get("specs") or []
    return [*several, *([item.get("spec") or {}] if "spec" in item or not several else [])]


def _labels_of(api: Api, namespace: str) -> Mapping[str, str]:
    try:
        found = api.find(paths.namespace(namespace)) or {}
    except ApiError:
        found = {}
    labels = (found.get("metadata") or {}).get("labels") or {}
    return {NAMESPACE_NAME: namespace, **labels}


def containers(pod: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of a pod's containers that are not ours: a mesh's, an agent's."""
    spec = pod.get("spec") or {}
    for kind in ("initContainers", "containers"):
        for container in spec.get(kind) or []:
            if container["name"] != CONTAINER:
                yield container["name"]
