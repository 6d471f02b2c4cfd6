"""Default spec of every object that we create."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.agent.ports import HTTP_PORT, TCP_PORT, UDP_PORT
from pytest_ipv6k8s.kube import taints

Object = dict[str, Any]
RUN_LABEL = "ipv6k8s/run"
NOBODY = "nobody"
"""The role that no pod of ours has: a Service that selects it has no endpoints on purpose."""
_MANAGED = {"app.kubernetes.io/managed-by": "ipv6k8s"}
_PROBE_USER = 65532
CONTAINER = "agent"
"""The one container of a pod of ours."""

NO_MESH = (
    {
        "sidecar.istio.io/inject": "false",
        "istio.io/dataplane-mode": "none",
        "kuma.io/sidecar-injection": "disabled",
    },
    {
        "sidecar.istio.io/inject": "false",
        "linkerd.io/inject": "disabled",
        "kuma.io/sidecar-injection": "disabled",
        "consul.hashicorp.com/connect-inject": "false",
        "openservicemesh.io/sidecar-injection": "disabled",
        "appmesh.k8s.aws/sidecarInjectorWebhook": "disabled",
    },
)
"""Labels and annotations by which pods stay out of service meshes, as their documentation has
them: Istio (sidecars and ambient), Linkerd, Kuma, Consul, Open Service Mesh, App Mesh."""

LIFETIME = 6 * 3600
"""Seconds after which a pod of ours ends by itself, whatever became of its run."""
AGENT = "ipv6k8s-agent"
"""The ConfigMap with the agent in a namespace of a run."""

_NAMED_PORTS = [
    {"name": "http", "containerPort": HTTP_PORT},
    {"name": "tcp", "containerPort": TCP_PORT},
    {"name": "udp", "containerPort": UDP_PORT, "protocol": "UDP"},
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How all pods and namespaces of a run are made.

    Attributes:
        image: of every pod.
        tolerations: on top of our own.
        pull_secret: ``NAMESPACE/NAME`` of the Secret to pull the image with.
        labels: of namespaces and pods, for those who demand some.
        annotations: likewise.
        priority_class: of pods.
        requests: what a pod is scheduled by, by resource.
        limits: what it never gets more of. A server that is throttled would look like a slow
            network, so they are far above what it needs.
    """

    image: str
    tolerations: tuple[Mapping[str, str], ...] = ()
    pull_secret: str | None = None
    labels: tuple[tuple[str, str], ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()
    priority_class: str | None = None
    requests: tuple[tuple[str, str], ...] = ()
    limits: tuple[tuple[str, str], ...] = ()

    @property
    def resources(self) -> Object:
        """Requests and limits of a container, defaults included."""
        return {
            "requests": {"cpu": "10m", "memory": "32Mi", **dict(self.requests)},
            "limits": {"cpu": "1", "memory": "512Mi", **dict(self.limits)},
        }


def labels(run_id: str, **more: str) -> dict[str, str]:
    """Return the labels that everything of a run carries."""
    return {**_MANAGED, RUN_LABEL: run_id, **more}


def namespace(name: str, run_id: str, manner: Manner, *, security: str) -> Object:
    """Return a namespace that enforces a Pod Security level: restricted or privileged."""
    enforced = {"pod-security.kubernetes.io/enforce": security}
    metadata = {
        "name": name,
        "labels": {**dict(manner.labels), **labels(run_id), **enforced},
        "annotations": dict(manner.annotations),
    }
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


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
    manner: Manner,
    pod_labels: Mapping[str, str],
    host_network: bool = False,
    any_user: bool = False,
    probed: bool = False,
    files: str = AGENT,
) -> Object:
    """Return a pod that runs the agent on a node, as restricted as Pod Security can ask for.

    ``any_user`` leaves the user id to the platform, for those that assign one. ``probed`` lets the
    kubelet ask its HTTP server every second whether it is ready. ``files`` is the ConfigMap that
    has the agent.
    """
    container = _agent_container(manner, "wait" if host_network else "serve")
    if not host_network:
        container |= _serving(probed=probed)
    spec: Object = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "Always",
        "activeDeadlineSeconds": LIFETIME,
        "terminationGracePeriodSeconds": 1,
        "hostNetwork": host_network,
        "affinity": _on_node(node),
        "tolerations": [*taints.OURS, taints.CORDON, *manner.tolerations],
        "securityContext": _pod_security(host_network=host_network, any_user=any_user),
        "containers": [container],
        "volumes": _volumes(files),
    }
    if manner.pull_secret:
        spec["imagePullSecrets"] = [{"name": manner.pull_secret.partition("/")[2]}]
    if manner.priority_class:
        spec["priorityClassName"] = manner.priority_class
    metadata = _pod_metadata(name, manner, {**labels(run_id), **pod_labels})
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def privileged(pod: Object) -> Object:
    """Return a pod whose container may do anything on its node: watch packets, and trace drops."""
    spec = pod["spec"]
    root = {"runAsNonRoot": False, "runAsUser": 0, "runAsGroup": 0}
    containers = [
        {**container, "securityContext": {"privileged": True}} for container in spec["containers"]
    ]
    security = {**spec["securityContext"], **root}
    return {**pod, "spec": {**spec, "securityContext": security, "containers": containers}}


def _volumes(files: str) -> list[Object]:
    return [
        {"name": "agent", "configMap": {"name": files}},
        {"name": "ca", "configMap": {"name": "kube-root-ca.crt"}},
        {"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
    ]


def _pod_metadata(name: str, manner: Manner, ours: Mapping[str, str]) -> Object:
    no_mesh, no_injection = NO_MESH
    return {
        "name": name,
        "labels": {**dict(manner.labels), **no_mesh, **ours},
        "annotations": {**dict(manner.annotations), **no_injection},
    }


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


def _serving(*, probed: bool) -> Object:
    asked = {"httpGet": {"port": "http"}, "periodSeconds": 1}
    return {"ports": _NAMED_PORTS, **({"readinessProbe": asked} if probed else {})}


def _agent_container(manner: Manner, mode: str) -> Object:
    fields = {
        "POD_NAME": "metadata.name",
        "NODE_NAME": "spec.nodeName",
        "POD_IP": "status.podIP",
        "POD_IPS": "status.podIPs",
        "HOST_IPS": "status.hostIPs",
    }
    return {
        "name": CONTAINER,
        "image": manner.image,
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
        "resources": manner.resources,
        "volumeMounts": [
            {"name": "agent", "mountPath": "/ipv6k8s", "readOnly": True},
            {"name": "ca", "mountPath": "/ipv6k8s-ca", "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }
