"""What a DaemonSet runs with: its containers, their arguments, a ConfigMap beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_ipv6k8s.kube import paths
from pytest_ipv6k8s.kube.client import Api, ApiError, Object


def containers(daemonset: Object) -> list[Object]:
    """Return the containers of its pods."""
    pod = daemonset.get("spec", {}).get("template", {}).get("spec", {})
    return pod.get("containers") or []


def command_lines(daemonset: Object) -> Iterator[list[str]]:
    """Yield the command and arguments of each container."""
    for container in containers(daemonset):
        yield [*(container.get("command") or []), *(container.get("args") or [])]


def settings_beside(api: Api, daemonset: Object, name: str) -> Mapping[str, Any]:
    """Return the data of a ConfigMap in its namespace; empty without one that we may read."""
    namespace = daemonset["metadata"].get("namespace", paths.KUBE_SYSTEM)
    try:
        return (api.find(paths.config_map(namespace, name)) or {}).get("data") or {}
    except ApiError:
        return {}
