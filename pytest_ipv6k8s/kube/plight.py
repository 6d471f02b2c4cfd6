"""Why a pod does not run: its container, its conditions or its last event."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_ipv6k8s.kube import paths, status
from pytest_ipv6k8s.kube.client import Api, ApiError

_LONGEST = 200
_BEFORE_START = ("ContainerCreating", "PodInitializing")
"""Reasons that say nothing: the last event says what the kubelet cannot do."""
_NO_SANDBOX = "FailedCreatePodSandBox"
_NO_NETWORK = re.compile(
    r"setup network for sandbox|pod network sandbox|failed to set up pod \S+ network"
)
"""What containerd, CRI-O and cri-dockerd say when a CNI plugin fails."""
_NOISE = re.compile(
    r"Failed to create pod sandbox: |rpc error: code = \w+ desc = |"
    r'(?<=sandbox) "?[0-9a-f]{64}"?|(?<=sandbox) k8s_\S+\([0-9a-f]{64}\)'
)
"""What an event says on its way to the reason: of the first 200 characters, all but 40."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plight:
    """Why a pod does not run.

    Attributes:
        reason: in words.
        unconnected: whether the node could not connect it to the pods' network.
    """

    reason: str
    unconnected: bool = False


def of(api: Api, pod: Mapping[str, Any]) -> Plight:
    """Say what keeps a pod from running: its container, its conditions, or its last event."""
    state = pod.get("status", {})
    reasons = [f"{state.get('reason', '')} {state.get('message', '')}".strip()]
    for container in state.get("containerStatuses") or []:
        waiting = container.get("state", {}).get("waiting") or {}
        if waiting.get("reason") not in _BEFORE_START:
            reasons.append(f"{waiting.get('reason', '')} {waiting.get('message', '')}".strip())
    reasons += [
        f"{c.get('reason', '')} {c.get('message', '')}".strip()
        for c in status.conditions(pod)
        if c["status"] != "True" and c.get("message") and "unready" not in c["message"]
    ]
    told = next(filter(None, reasons), "") or _last_event(api, pod)
    return Plight(
        reason=" ".join(_NOISE.sub("", told).split())[:_LONGEST] or "no reason given",
        unconnected=told.startswith(_NO_SANDBOX) and bool(_NO_NETWORK.search(told)),
    )


def _last_event(api: Api, pod: Mapping[str, Any]) -> str:
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    selector = f"involvedObject.name={name},type=Warning"
    try:
        events = api.items(paths.inside(namespace, "events"), fieldSelector=selector)
    except ApiError:
        return ""
    events.sort(key=lambda event: str(event.get("lastTimestamp") or ""))
    return "".join(f"{event.get('reason')}: {event.get('message')}" for event in events[-1:])
