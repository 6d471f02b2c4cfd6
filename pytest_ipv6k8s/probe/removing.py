"""Take off a cluster what a run put there: its namespaces, or its objects in a given one."""

from __future__ import annotations

from collections.abc import Callable, Collection

from pytest_ipv6k8s.errors import ControlChannelError
from pytest_ipv6k8s.kube import objects, paths
from pytest_ipv6k8s.kube.client import Api, ApiError, Object, readable
from pytest_ipv6k8s.threads import at_once
from pytest_ipv6k8s.waiting import persist, poll

KINDS = ("secrets", "configmaps", "services", "pods")
"""What a run puts into a namespace that was given to it; what `reap` finds it by goes last."""


def remove(api: Api, run_id: str) -> list[str]:
    """Delete the namespaces of a run; return those in which pods are still there.

    Namespaces that are empty go by themselves, some seconds later: Kubernetes lets each wait for
    5 s first (namespaceDeletionGracePeriod in pkg/controller/namespace). A server that is away may
    come back, and forbids what it allows while it starts: its RBAC is not ready.
    """

    names = _patiently(api, lambda: _delete(api, _namespaces(api, _of(run_id))))
    return _await_none(api, lambda: [n for n in names if readable(api, paths.pods(n))])


def _delete(api: Api, names: Collection[str]) -> list[str]:
    at_once(lambda name: delete_namespace(api, name), names)
    return [*names]


def _namespaces(api: Api, of: str) -> list[str]:
    return [item["metadata"]["name"] for item in api.items(paths.NAMESPACES, labelSelector=of)]


def _await_none(api: Api, left: Callable[[], list[str]]) -> list[str]:
    """Wait until nothing is left, and return what still is."""
    return poll(
        lambda: _patiently(api, left),
        lambda found: not found,
        timeout=api.timeouts.namespace_gone,
        interval=0.2,
    )


def _patiently(api: Api, do: Callable[[], list[str]]) -> list[str]:
    away = (ControlChannelError, ApiError)
    return persist(do, away, timeout=api.timeouts.namespace_gone, interval=1.0)


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
    """Begin to delete a namespace; its pods go at once, where we may see them."""
    pods = [item["metadata"]["name"] for item in readable(api, paths.pods(name))]
    at_once(lambda pod: api.delete(paths.pod(name, pod), grace=1), pods)
    api.delete(paths.namespace(name))


def reap(api: Api, going_on: Collection[str] = ()) -> tuple[list[str], list[str]]:
    """Remove what all runs left on a cluster, side by side.

    Args:
        api: the cluster's.
        going_on: the ids of runs that go on: nothing of them is touched.

    Returns:
        The namespaces that are clean, but for those that were being deleted already, and those
        that are still there.
    """

    def found() -> dict[str, Object]:
        items = api.items(paths.NAMESPACES, labelSelector=objects.RUN_LABEL)
        return {i["metadata"]["name"]: i for i in items if _run_of(i) not in going_on}

    items = found()
    going = {name for name, item in items.items() if item["metadata"].get("deletionTimestamp")}
    given = {(n, run) for n, run in _in_given_namespaces(api, items) if run not in going_on}
    for namespace, run_id in given:
        remove_inside(api, namespace, run_id)
    _patiently(api, lambda: _delete(api, items))
    left = _await_none(api, lambda: [name for name in found() if name in items])
    clean = (items.keys() - going | {namespace for namespace, _ in given}) - set(left)
    return sorted(clean), sorted(left)


def _in_given_namespaces(api: Api, ours: Collection[str]) -> set[tuple[str, str]]:
    """Return the namespaces that are not ours in which a run left something, and the runs."""
    return {
        (item["metadata"]["namespace"], _run_of(item))
        for path in (paths.ALL_PODS, paths.ALL_SERVICES)
        for item in api.items(path, labelSelector=objects.RUN_LABEL)
        if item["metadata"]["namespace"] not in ours
    }


def _run_of(item: Object) -> str:
    return str((item["metadata"].get("labels") or {}).get(objects.RUN_LABEL))


def _of(run_id: str) -> str:
    return f"{objects.RUN_LABEL}={run_id}"
