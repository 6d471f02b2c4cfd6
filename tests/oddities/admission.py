"""What platforms demand of whoever makes objects, and put into new namespaces."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.oddities.changing import (
    all_nodes,
    expect_shown,
    in_every_new_namespace,
    namespace,
    objects,
    scripts,
)
from tests.oddities.oddity import Oddity
from tests.real import on_node

_REFUSAL = "the platform forbids this"
_POD = "run odd --image=busybox:1"
PINNED = "object.spec.containers.all(c, c.image.contains('@sha256:'))"
"""Images are named by their digests."""
_SYSTEM = ["kube-system", "local-path-storage", "default"]
_OURS = {
    "matchExpressions": [
        {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": _SYSTEM}
    ]
}


def _generated(kind: str, api: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "generated"}, "spec": spec}


LIMIT_RANGE = _generated(
    "LimitRange",
    "v1",
    {
        "limits": [
            {
                "type": "Container",
                "default": {"cpu": "100m", "memory": "64Mi"},
                "defaultRequest": {"cpu": "20m", "memory": "32Mi"},
            }
        ]
    },
)
QUOTA = _generated(
    "ResourceQuota",
    "v1",
    {
        "hard": {
            "pods": "40",
            "services": "40",
            "requests.cpu": "4",
            "requests.memory": "8Gi",
            "limits.cpu": "40",
            "limits.memory": "16Gi",
        }
    },
)
DEFAULT_DENY = _generated(
    "NetworkPolicy",
    "networking.k8s.io/v1",
    {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
)


@contextmanager
def _policy(
    cluster: Cluster, kind: str, spec: dict[str, Any], *, tried: str, shows: str
) -> Iterator[None]:
    """Have an admission policy and its binding, for objects in namespaces of users.

    Args:
        cluster: a kind cluster.
        kind: validating or mutating.
        spec: the policy's.
        tried: what kubectl makes, as a dry run, to see that the policy works from now on.
        shows: a pattern in what it then says.
    """
    group = "admissionregistration.k8s.io/v1"
    binding: dict[str, Any] = {
        "policyName": "odd",
        "matchResources": {"namespaceSelector": _OURS},
    }
    if kind == "ValidatingAdmissionPolicy":
        binding["validationActions"] = ["Deny"]
    bodies = [
        {"apiVersion": group, "kind": kind, "metadata": {"name": "odd"}, "spec": spec},
        {
            "apiVersion": group,
            "kind": f"{kind}Binding",
            "metadata": {"name": "odd"},
            "spec": binding,
        },
    ]
    with namespace(cluster, "odd"), objects(cluster, *bodies):
        expect_shown(cluster, f"-n odd {tried} --dry-run=server -o yaml", shows)
        yield


def _rule(resource: str, group: str = "") -> dict[str, Any]:
    return {
        "resourceRules": [
            {
                "apiGroups": [group],
                "apiVersions": ["*"],
                "operations": ["CREATE"],
                "resources": [resource],
            }
        ]
    }


def demanded(
    cluster: Cluster, resource: str, expression: str, *, refused: str = _POD
) -> AbstractContextManager[None]:
    """Admit a kind of object into namespaces of users only where a CEL expression is true.

    Args:
        cluster: a kind cluster.
        resource: its plural.
        expression: has to be true.
        refused: what kubectl makes, for which it is not.
    """
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": _rule(resource),
        "validations": [{"expression": expression, "message": _REFUSAL}],
    }
    return _policy(cluster, "ValidatingAdmissionPolicy", spec, tried=refused, shows=_REFUSAL)


def _mutated(
    cluster: Cluster, resource: str, expression: str, *, shows: str, tried: str = _POD
) -> AbstractContextManager[None]:
    spec = {
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
        "matchConstraints": _rule(resource),
        "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}],
    }
    return _policy(cluster, "MutatingAdmissionPolicy", spec, tried=tried, shows=shows)


@contextmanager
def _digests_demanded(cluster: Cluster) -> Iterator[tuple[str, ...]]:
    """Refuse images that are named by a tag; an operator then names the probe's by its digest."""
    image = f"docker.io/{os.environ['IPV6K8S_PROBE_IMAGE']}"
    images = "ctr -n k8s.io images"
    listed = on_node(all_nodes(cluster)[0], f"{images} ls name=={image}")
    pinned = f"{image.rpartition(':')[0]}@{_DIGEST.findall(listed)[0]}"
    with (
        scripts(all_nodes(cluster), f"{images} tag {image} {pinned}", f"{images} rm {pinned}"),
        demanded(cluster, "pods", PINNED),
    ):
        yield (f"--ipv6k8s-probe-image={pinned}",)


_DIGEST = re.compile("sha256:[0-9a-f]{64}")
_NDOTS = """[JSONPatch{op: "add", path: "/spec/dnsConfig", value: Object.spec.dnsConfig{options: [
    Object.spec.dnsConfig.options{name: "ndots", value: "2"}]}}]"""
_RESTRICTED = """[JSONPatch{op: "add",
    path: "/metadata/labels/" + jsonpatch.escapeKey("pod-security.kubernetes.io/enforce"),
    value: "restricted"}]"""
_LABELLED = "has(object.metadata.labels) && 'team' in object.metadata.labels"
_LIMITED = "object.spec.containers.all(c, has(c.resources.limits) && 'cpu' in c.resources.limits)"

ODDITIES = [
    Oddity(
        name="limit-range-with-low-defaults",
        changed=lambda cluster: in_every_new_namespace(cluster, LIMIT_RANGE),
    ),
    Oddity(
        name="resource-quota",
        changed=lambda cluster: in_every_new_namespace(cluster, QUOTA),
    ),
    Oddity(
        name="default-deny-that-nobody-enforces",
        changed=lambda cluster: in_every_new_namespace(cluster, DEFAULT_DENY),
        unjudged={"POL": "NetworkPolicy"},
    ),
    Oddity(
        name="labels-demanded",
        changed=lambda cluster: demanded(cluster, "pods", _LABELLED),
        options=("--ipv6k8s-label=team=net",),
    ),
    Oddity(
        name="limits-demanded",
        changed=lambda cluster: demanded(cluster, "pods", _LIMITED),
    ),
    Oddity(name="digests-demanded", changed=_digests_demanded),
    Oddity(
        name="node-ports-forbidden",
        changed=lambda cluster: demanded(
            cluster,
            "services",
            "object.spec.type != 'NodePort'",
            refused="create service nodeport odd --tcp=80",
        ),
    ),
    Oddity(
        name="external-names-forbidden",
        changed=lambda cluster: demanded(
            cluster,
            "services",
            "object.spec.type != 'ExternalName'",
            refused="create service externalname odd --external-name=example.com",
        ),
        unjudged={"API-15": "platform"},
    ),
    Oddity(
        name="pod-security-restricted",
        changed=lambda cluster: _mutated(
            cluster,
            "namespaces",
            _RESTRICTED,
            tried="create namespace odd-too",
            shows="enforce: restricted",
        ),
        unjudged={"": "host-network"},
        told="host-network probes",
    ),
    Oddity(
        name="ndots-mutated",
        changed=lambda cluster: _mutated(cluster, "pods", _NDOTS, shows="ndots"),
    ),
]
