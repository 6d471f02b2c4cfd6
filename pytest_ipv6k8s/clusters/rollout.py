"""Waiting until what was installed on a cluster runs, and telling why it does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pytest_ipv6k8s.errors import ClusterError, Inconclusive, Ipv6k8sError
from pytest_ipv6k8s.kube import paths, status, taints
from pytest_ipv6k8s.kube.client import Api, Object
from pytest_ipv6k8s.waiting import wait_until

NAMESPACE = paths.KUBE_SYSTEM
_LOG_LINES, _SHOWN = 3, 400
T = TypeVar("T")


def nodes_ready(api: Api, *, timeout: float) -> None:
    """Wait until every node is Ready, and open to pods: it is when its runtime finds a network.

    Args:
        api: the API server.
        timeout: seconds until we give up.

    Raises:
        ClusterError: a node is not; carries its condition's message.
    """

    def unready() -> list[str]:
        nodes = api.items(paths.NODES)
        left = [_of_node(node) for node in nodes if not _is_open(node)]
        return left if nodes else ["there is no node"]

    left = _until_none("every node is Ready", unready, timeout=timeout)
    if left:
        raise ClusterError(
            f"not every node is Ready after {timeout:.0f} s: {'; '.join(left)}",
            remedy="look at the pods of the CNI with --ipv6k8s-keep and `kubectl get pods -A`",
        )


def workloads_ready(api: Api, what: str, selector: str, *, timeout: float) -> None:
    """Wait until the DaemonSets and Deployments with a label have rolled out in kube-system.

    Args:
        api: the API server.
        what: their name, for the error.
        selector: of their labels, and those of their pods.
        timeout: seconds until we give up.

    Raises:
        ClusterError: they do not roll out; names a pod and its last words.
    """

    def unready() -> list[str]:
        found = [
            (kind, item)
            for kind in ("daemonsets", "deployments")
            for item in api.items(paths.inside(NAMESPACE, kind), labelSelector=selector)
        ]
        names = [item["metadata"]["name"] for kind, item in found if not _rolled_out(kind, item)]
        return names if found else [f"nothing is labelled {selector}"]

    left = _until_none(f"{what} has rolled out", unready, timeout=timeout)
    if left:
        reason = last_words(api, selector) or "it has no pods"
        raise ClusterError(
            f"{what} did not roll out within {timeout:.0f} s ({', '.join(left)}): {reason}",
            remedy=f"look further with --ipv6k8s-keep and `kubectl -n {NAMESPACE} describe pods`",
        )


def last_words(api: Api, selector: str) -> str:
    """Return why a pod of kube-system is not Ready and what it logged last; empty when all are.

    Args:
        api: the API server.
        selector: of the pods' labels.
    """
    pods = api.items(paths.pods(NAMESPACE), labelSelector=selector)
    for pod in sorted(pods, key=lambda pod: str(pod["metadata"]["name"])):
        if not status.is_ready(pod):
            return " ".join(_of_pod(api, pod).split())[:_SHOWN]
    return ""


def _until_none(what: str, ask: Callable[[], list[T]], *, timeout: float) -> list[T]:
    """Ask until there is none, and return those that there were last."""
    last: list[T] = []

    def none() -> bool:
        last[:] = ask()
        return not last

    try:
        wait_until(what, none, timeout=timeout, interval=0.5)
    except Inconclusive:
        return last
    return []


def _is_open(node: Object) -> bool:
    closed = any(taint.key == taints.NOT_READY for taint in taints.taints_of(node))
    return status.is_ready(node) and not closed


def _of_node(node: Object) -> str:
    ready = (c.get("message", "") for c in status.conditions(node) if c["type"] == "Ready")
    return f"node {node['metadata']['name']}: {next(ready, '') or 'has not said anything yet'}"


def _rolled_out(kind: str, item: Object) -> bool:
    state = item.get("status", {})
    if state.get("observedGeneration", 0) < item["metadata"]["generation"]:
        return False
    if kind == "deployments":
        wanted, counts = item["spec"]["replicas"], ("updatedReplicas", "availableReplicas")
    else:
        wanted = state["desiredNumberScheduled"]
        counts = ("updatedNumberScheduled", "numberAvailable")
    return all(state.get(count, 0) >= wanted for count in counts)


def _of_pod(api: Api, pod: Object) -> str:
    name, state = pod["metadata"]["name"], pod.get("status", {})
    containers = [
        *(state.get("initContainerStatuses") or []),
        *(state.get("containerStatuses") or []),
    ]
    stuck = next((c for c in containers if not _is_done(c)), None)
    if stuck is None:
        reasons = [c.get("message", "") for c in status.conditions(pod) if c["status"] != "True"]
        return f"pod {name} is {state.get('phase', 'unknown')}: {next(filter(None, reasons), '')}"
    return f"pod {name}, container {stuck['name']}: {_of_container(api, name, stuck)}"


def _is_done(container: Object) -> bool:
    ended = container.get("state", {}).get("terminated") or {}
    return bool(container.get("ready")) or ended.get("exitCode") == 0


def _of_container(api: Api, pod: str, container: Object) -> str:
    state = container.get("state", {})
    waiting = state.get("waiting") or {}
    ended = state.get("terminated") or container.get("lastState", {}).get("terminated") or {}
    reason = " ".join(filter(None, (waiting.get("reason"), waiting.get("message"))))
    if ended:
        reason = f"{reason} exit code {ended.get('exitCode')}".strip()
    path = paths.log(NAMESPACE, pod)
    query = {"container": container["name"], "tailLines": str(_LOG_LINES)}
    try:
        log = api.text(path, **query, previous="true" if not state.get("running") else "false")
    except Ipv6k8sError:
        log = ""
    return f"{reason or 'runs, and is not ready'}; it said: {log}" if log.strip() else reason
