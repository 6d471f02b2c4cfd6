"""Default spec of every object that we create."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.agent.ports import HTTP_PORT, TCP_PORT, UDP_PORT

Object = dict[str, Any]
RUN_LABEL = "ipv6k8s/run"
_MANAGED = {"app.kubernetes.io/managed-by": "ipv6k8s"}
_PROBE_USER = 65532
_VOLUMES = [
    {"name": "agent", "configMap": {"name": "ipv6k8s-agent"}},
    {"name": "ca", "configMap": {"name": "kube-root-ca.crt"}},
    {"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
]
_NAMED_PORTS = [
    {"name": "http", "containerPort": HTTP_PORT},
    {"name": "tcp", "containerPort": TCP_PORT},
    {"name": "udp", "containerPort": UDP_PORT, "protocol": "UDP"},
]


def labels(run_id: str, **more: str) -> dict[str, str]:
    """Return the labels that everything of a run carries."""
    return {**_MANAGED, RUN_LABEL: run_id, **more}


def namespace(name: str, run_id: str, *, security: str) -> Object:
    """Return a namespace that enforces a Pod Security level: restricted or privileged."""
    enforced = {"pod-security.kubernetes.io/enforce": security}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": {**labels(run_id), **enforced}},
    }


def config_map(name: str, run_id: str, files: Mapping[str, str]) -> Object:
    """Return a ConfigMap with files, given in base64."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": labels(run_id)},
        "binaryData": dict(files),
    }


def service(
    name: str,
    *,
    selector: Mapping[str, str] | None = None,
    ports: Sequence[Mapping[str, Any]] = ({"name": "http", "port": 80},),
    policy: str | None = None,
    families: Sequence[Family] | None = None,
    labels: Mapping[str, str] | None = None,
    **spec: Any,
) -> Object:
    """Return a Service; whatever is None is left to the API server's defaults.

    ``spec`` takes further fields by their API names, such as ``clusterIP="None"``.
    """
    body: Object = {"ports": [dict(port) for port in ports], **spec}
    if selector is not None:
        body["selector"] = dict(selector)
    if policy is not None:
        body["ipFamilyPolicy"] = policy
    if families is not None:
        body["ipFamilies"] = [family.value for family in families]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": dict(labels or {})},
        "spec": body,
    }


def network_policy(
    name: str,
    run_id: str,
    *,
    pods: Mapping[str, str],
    ingress: Sequence[Mapping[str, Any]] | None = None,
    egress: Sequence[Mapping[str, Any]] | None = None,
) -> Object:
    """Return a NetworkPolicy.

    Args:
        name: its name.
        run_id: the run's id.
        pods: labels of the pods that it selects; none: every pod of its namespace.
        ingress: its rules for what comes in; None leaves ingress alone, no rules deny it.
        egress: its rules for what goes out, likewise.
    """
    directions = {"Ingress": ingress, "Egress": egress}
    given = {name: rules for name, rules in directions.items() if rules is not None}
    spec: Object = {"podSelector": {"matchLabels": dict(pods)}, "policyTypes": list(given)}
    for direction, rules in given.items():
        spec[direction.lower()] = [dict(rule) for rule in rules]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "labels": labels(run_id)},
        "spec": spec,
    }


def probe_pod(
    name: str,
    *,
    run_id: str,
    node: str,
    image: str,
    pod_labels: Mapping[str, str],
    tolerations: Sequence[Mapping[str, str]] = (),
    pull_secret: str | None = None,
    host_network: bool = False,
    any_user: bool = False,
    probed: bool = False,
) -> Object:
    """Return a pod that runs the agent on a node, as restricted as Pod Security can ask for.

    ``any_user`` leaves the user id to the platform, for those that assign one. ``probed`` lets the
    kubelet ask its HTTP server every second whether it is ready.
    """
    container = _agent_container(image, "wait") if host_network else _server(image, probed=probed)
    spec: Object = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 1,
        "hostNetwork": host_network,
        "affinity": _on_node(node),
        "tolerations": [
            {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"},
            *tolerations,
        ],
        "securityContext": _pod_security(host_network=host_network, any_user=any_user),
        "containers": [container],
        "volumes": _VOLUMES,
    }
    if pull_secret:
        spec["imagePullSecrets"] = [{"name": pull_secret}]
    metadata = {"name": name, "labels": {**labels(run_id), **pod_labels}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _on_node(node: str) -> Object:
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    terms = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


def _pod_security(*, host_network: bool, any_user: bool) -> Object:
    security: Object = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    if not any_user:
        security |= {"runAsUser": _PROBE_USER, "runAsGroup": _PROBE_USER}
    if not host_network:
        ping = {"name": "net.ipv4.ping_group_range", "value": "0 2147483647"}
        security["sysctls"] = [ping]
    return security


def _server(image: str, *, probed: bool) -> Object:
    container = _agent_container(image, "serve") | {"ports": _NAMED_PORTS}
    if probed:
        container["readinessProbe"] = {"httpGet": {"port": "http"}, "periodSeconds": 1}
    return container


def _agent_container(image: str, mode: str) -> Object:
    fields = {
        "POD_NAME": "metadata.name",
        "NODE_NAME": "spec.nodeName",
        "POD_IP": "status.podIP",
        "POD_IPS": "status.podIPs",
        "HOST_IPS": "status.hostIPs",
    }
    return {
        "name": "agent",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-I", "/ipv6k8s/agent.pyz", mode],
        "env": [
            {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
            for name, path in fields.items()
        ],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}},
        "volumeMounts": [
            {"name": "agent", "mountPath": "/ipv6k8s", "readOnly": True},
            {"name": "ca", "mountPath": "/ipv6k8s-ca", "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }
