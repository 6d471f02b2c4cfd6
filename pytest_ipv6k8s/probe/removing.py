"""Take off a cluster what a run put there: its namespaces, or its objects in a given one."""

from __future__ import annotations

from pytest_ipv6k8s.errors import Inconclusive
from pytest_ipv6k8s.kube import objects, paths
from pytest_ipv6k8s.kube.client import Api, Object, readable
from pytest_ipv6k8s.waiting import wait_until

KINDS = ("secrets", "configmaps", "services", "pods")
"""What a run puts into a namespace that was given to it; what `reap` finds it by goes last."""


def remove(api: Api, run_id: str) -> list[str]:
    """Delete the namespaces of a run and return the names of those that are still there."""

    def left() -> list[str]:
        found = api.items(paths.NAMESPACES, labelSelector=_of(run_id))
        return [item["metadata"]["name"] for item in found]

    for name in left():
        delete_namespace(api, name)
    try:
        wait_until(
            "the namespaces are gone", lambda: not left(), timeout=api.timeouts.namespace_gone
        )
    except Inconclusive:
        return left()
    return []


def remove_inside(api: Api, namespace: str, run_id: str) -> None:
    """Delete the objects of a run in a namespace that is not its own, and nothing else there.

    Where we may not read Secrets we put none there.
    """
    for kind in KINDS:
        path, of = paths.inside(namespace, kind), _of(run_id)
        for item in _those(api, kind, path, of):
            grace = 1 if kind == "pods" else None
            api.delete(paths.inside(namespace, kind, item["metadata"]["name"]), grace=grace)


def _those(api: Api, kind: str, path: str, of: str) -> list[Object]:
    if kind == "secrets":
        return readable(api, path, labelSelector=of)
    return api.items(path, labelSelector=of)


def delete_namespace(api: Api, name: str) -> None:
    """Begin to delete a namespace; its pods go at once."""
    for item in api.items(paths.pods(name)):
        api.delete(paths.pod(name, item["metadata"]["name"]), grace=1)
    api.delete(paths.namespace(name))


def reap(api: Api) -> list[str]:
    """Remove what all runs left on a cluster; return the names of the namespaces that are clean."""
    items = api.items(paths.NAMESPACES, labelSelector=objects.RUN_LABEL)
    ours = {item["metadata"]["name"] for item in items}
    given = _in_given_namespaces(api, ours)
    for namespace, run_id in given:
        remove_inside(api, namespace, run_id)
    runs = {item["metadata"]["labels"][objects.RUN_LABEL] for item in items}
    left = {name for run_id in runs for name in remove(api, run_id)}
    return sorted((ours | {namespace for namespace, _ in given}) - left)


def _in_given_namespaces(api: Api, ours: set[str]) -> set[tuple[str, str]]:
    """Return the namespaces that are not ours in which a run left something, and the runs."""
    return {
        (item["metadata"]["namespace"], item["metadata"]["labels"][objects.RUN_LABEL])
        for path in (paths.ALL_PODS, paths.ALL_SERVICES)
        for item in api.items(path, labelSelector=objects.RUN_LABEL)
        if item["metadata"]["namespace"] not in ours
    }


def _of(run_id: str) -> str:
    return f"{objects.RUN_LABEL}={run_id}"
