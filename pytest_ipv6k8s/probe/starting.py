"""Start pods and see which of them run; one that does not is deleted, and its plight is told."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_ipv6k8s.errors import ConfigError, Inconclusive
from pytest_ipv6k8s.kube import paths, plight, status
from pytest_ipv6k8s.kube.client import Api, ApiError
from pytest_ipv6k8s.kube.objects import RUN_LABEL
from pytest_ipv6k8s.kube.plight import Plight
from pytest_ipv6k8s.threads import at_once
from pytest_ipv6k8s.waiting import wait_until

_ALREADY_EXISTS, _UNAUTHORIZED = 409, 401
_LONGEST = 200

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A pod that is to run on a node."""

    namespace: str
    node: str
    body: Object

    @property
    def name(self) -> str:
        """The pod's name."""
        return str(self.body["metadata"]["name"])

    @property
    def run_id(self) -> str:
        """The run that it belongs to."""
        return str(self.body["metadata"]["labels"][RUN_LABEL])


@dataclass(slots=True)
class Started:
    """What became of pods, by name.

    Attributes:
        running: the objects of those that run.
        failed: why the others do not.
        refused: those that were never made.
        unconnected: those that their node could not connect to the pods' network.
    """

    running: dict[str, Object] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    unconnected: set[str] = field(default_factory=set)


def start(api: Api, batches: Iterable[Sequence[Wanted]]) -> Started:
    """Create pods and wait until each of them runs or will not; those that do not are deleted.

    Image pulls have all the time there is: the kubelet itself tries again.

    Args:
        api: the API server.
        batches: each is created when the one before it is: a quota may have no room for all.

    Raises:
        ConfigError: an object that is not ours has the name of one of them.
    """
    started, created = Started(), list[Wanted]()
    for batch in batches:
        for wanted, refusal in zip(batch, at_once(lambda w: _create(api, w), batch), strict=True):
            if refusal:
                started.failed[wanted.name] = refusal
                started.refused.add(wanted.name)
            else:
                created.append(wanted)
    _wait(api, created, started)
    dead = [one for one in created if one.name in started.failed]
    at_once(lambda one: api.delete(paths.pod(one.namespace, one.name), grace=0), dead)
    return started


def _create(api: Api, wanted: Wanted) -> str:
    """Create a pod; return why it was refused."""
    try:
        create(api, wanted.namespace, "pods", wanted.body)
    except ApiError as error:
        if error.code == _UNAUTHORIZED:
            raise
        return f"refused: {error.problem}"[:_LONGEST]
    return ""


def create(api: Api, namespace: str, kind: str, body: Object) -> Object:
    """Create an object of ours in a namespace.

    Args:
        api: the API server.
        namespace: where.
        kind: its resource, such as ``pods``.
        body: the object.

    Raises:
        ConfigError: an object that is not ours has its name.
        ApiError: the server refused for another reason.
    """
    try:
        return api.create(paths.inside(namespace, kind), body)
    except ApiError as error:
        if error.code != _ALREADY_EXISTS:
            raise
        raise ConfigError(
            f"namespace {namespace} has a {body['kind']} called {body['metadata']['name']} that is "
            "not of this run",
            remedy="delete it when it is left of another run, or use another namespace",
        ) from None


def _wait(api: Api, created: Sequence[Wanted], started: Started) -> None:
    """Note of every pod that it runs, or why it does not."""
    began = time.monotonic()
    left = {wanted.name: wanted for wanted in created}

    def all_settled() -> bool:
        waited = time.monotonic() - began
        for pod in _pods(api, left.values()):
            name = pod["metadata"]["name"]
            if runs(pod):
                started.running[name] = pod
                del left[name]
            elif _is_hopeless(pod, scheduled=waited < api.timeouts.probe_scheduled):
                started.failed[name] = plight.of(api, pod).reason
                del left[name]
        return not left

    try:
        wait_until("all pods run", all_settled, timeout=api.timeouts.probes_ready)
    except Inconclusive:
        limit = f"not ready within {api.timeouts.probes_ready:.0f} s"
        there = {pod["metadata"]["name"]: pod for pod in _pods(api, left.values())}
        for name in left:
            why = plight.of(api, there[name]) if name in there else Plight(reason="the pod is gone")
            started.failed[name] = f"{limit}: {why.reason}"
            if why.unconnected:
                started.unconnected.add(name)


def _pods(api: Api, wanted: Iterable[Wanted]) -> list[Object]:
    """Return the pods of these names that are there."""
    names = {(one.namespace, one.name) for one in wanted}
    of = {(one.namespace, one.run_id) for one in wanted}
    return [
        pod
        for namespace, run_id in sorted(of)
        for pod in api.items(paths.pods(namespace), labelSelector=f"{RUN_LABEL}={run_id}")
        if (namespace, pod["metadata"]["name"]) in names
    ]


def runs(pod: Object) -> bool:
    """Tell whether a pod object is ready and has an address."""
    return status.is_ready(pod) and bool(status.pod_ips(pod))


def _is_hopeless(pod: Object, *, scheduled: bool) -> bool:
    """Tell whether a pod will not run: the kubelet refused it, or its node has no room for long."""
    if pod.get("status", {}).get("phase") == "Failed":
        return True
    unscheduled = any(
        c["type"] == "PodScheduled" and c["status"] == "False" for c in status.conditions(pod)
    )
    return unscheduled and not scheduled
