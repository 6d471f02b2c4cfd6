"""The least rights that a run needs: the manifest, and asking whether we have them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pytest_ipv6k8s.errors import ClusterError
from pytest_ipv6k8s.kube import foreign
from pytest_ipv6k8s.kube.client import Api
from pytest_ipv6k8s.threads import at_once


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """Verbs on a resource, cluster-wide; ``required`` ones stop a run when they are missing."""

    group: str = ""
    resource: str
    verbs: tuple[str, ...]
    required: bool = True


RIGHTS = (
    Right(resource="nodes", verbs=("get", "list")),
    Right(resource="namespaces", verbs=("get", "list", "create", "delete")),
    Right(resource="pods", verbs=("get", "list", "create", "delete")),
    Right(resource="pods/exec", verbs=("get", "create")),
    Right(resource="configmaps", verbs=("get", "create")),
    Right(resource="serviceaccounts", verbs=("get",)),
    Right(resource="services", verbs=("get", "list", "create", "delete")),
    Right(
        group="networking.k8s.io", resource="networkpolicies", verbs=("list", "create", "delete")
    ),
    Right(group="discovery.k8s.io", resource="endpointslices", verbs=("list",)),
    Right(group="apps", resource="daemonsets", verbs=("list",), required=False),
    Right(group="apps", resource="deployments", verbs=("list",), required=False),
    Right(
        group="networking.k8s.io", resource="servicecidrs", verbs=("get", "list"), required=False
    ),
    Right(group="networking.k8s.io", resource="ipaddresses", verbs=("list",), required=False),
    Right(group="coordination.k8s.io", resource="leases", verbs=("get",), required=False),
    Right(resource="events", verbs=("list",), required=False),
    Right(resource="pods/log", verbs=("get",), required=False),
    *(
        Right(group=group, resource=resource, verbs=("list",), required=False)
        for group, resource in foreign.RESOURCES
        if group != "networking.k8s.io"
    ),
)


PULL_SECRET = (Right(resource="secrets", verbs=("get", "create")),)
"""Needed besides for ``--ipv6k8s-pull-secret``: it is copied into the namespaces of the run."""

GIVEN_NAMESPACE = (
    Right(resource="configmaps", verbs=("list", "delete")),
    Right(resource="secrets", verbs=("list", "delete")),
)
"""Needed besides for ``--ipv6k8s-namespace``: it stays, and what is ours in it is deleted."""


def manifest(more: Iterable[Right] = ()) -> list[dict[str, Any]]:
    """Return ServiceAccount, ClusterRole and ClusterRoleBinding with just these rights.

    Args:
        more: rights that options need on top.
    """
    name = {"name": "ipv6k8s"}
    api_group = "rbac.authorization.k8s.io"
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {**name, "namespace": "default"},
        },
        {
            "apiVersion": f"{api_group}/v1",
            "kind": "ClusterRole",
            "metadata": name,
            "rules": [
                {"apiGroups": [r.group], "resources": [r.resource], "verbs": list(r.verbs)}
                for r in (*RIGHTS, *more)
            ],
        },
        {
            "apiVersion": f"{api_group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": name,
            "roleRef": {"apiGroup": api_group, "kind": "ClusterRole", **name},
            "subjects": [{"kind": "ServiceAccount", **name, "namespace": "default"}],
        },
    ]


def require(api: Api, *, own_namespaces: bool = True) -> None:
    """Make sure that we have the required rights.

    Args:
        api: the API server.
        own_namespaces: whether namespaces are made; else nothing is needed but to see them.

    Raises:
        ClusterError: names every verb and resource that is missing.
    """
    missing = [
        f"{verb} {resource}"
        for verb, resource in _missing(api, RIGHTS)
        if own_namespaces or resource != "namespaces" or verb in ("get", "list")
    ]
    if missing:
        raise ClusterError(
            f"the user of context {api.kubeconfig.context!r} may not: {', '.join(missing)}",
            remedy="grant what `ipv6k8s rbac` prints",
        )


def _missing(api: Api, rights: Iterable[Right]) -> list[tuple[str, str]]:
    wanted = [(verb, right) for right in rights if right.required for verb in right.verbs]
    granted = at_once(lambda one: _allowed(api, *one), wanted)
    return [
        (verb, right.resource + (f".{right.group}" if right.group else ""))
        for (verb, right), is_granted in zip(wanted, granted, strict=True)
        if not is_granted
    ]


def _allowed(api: Api, verb: str, right: Right) -> bool:
    resource, _, subresource = right.resource.partition("/")
    attributes = {
        "verb": verb,
        "group": right.group,
        "resource": resource,
        "subresource": subresource,
    }
    answer = api.create(
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        },
    )
    return bool(answer.get("status", {}).get("allowed"))
