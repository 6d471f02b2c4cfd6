"""What the status of a pod or a node says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def conditions(item: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the conditions of an object; there may be none yet."""
    found: Sequence[Mapping[str, Any]] = item.get("status", {}).get("conditions") or ()
    return found


def is_ready(item: Mapping[str, Any]) -> bool:
    """Tell whether a pod or a node is Ready."""
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions(item))


def is_endpoint_ready(endpoint: Mapping[str, Any]) -> bool:
    """Tell whether an endpoint of an EndpointSlice is ready; one that does not say so is."""
    return (endpoint.get("conditions") or {}).get("ready") is not False


def pod_ips(pod: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the addresses of a pod, the first family's first; there may be none yet."""
    return tuple(entry["ip"] for entry in pod.get("status", {}).get("podIPs") or ())


def host_ips(pod: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the addresses of a pod's node; there may be none yet."""
    return tuple(entry["ip"] for entry in pod.get("status", {}).get("hostIPs") or ())


def restarts(pod: Mapping[str, Any]) -> int:
    """Return how often the containers of a pod were started again, all together."""
    containers = pod.get("status", {}).get("containerStatuses") or ()
    return sum(container.get("restartCount", 0) for container in containers)


def in_short(pod: Mapping[str, Any]) -> str:
    """Return the state of a pod in a word: what its containers wait for, or its phase."""
    seen = pod.get("status", {})
    for container in seen.get("containerStatuses") or ():
        state = container.get("state") or {}
        reason = (state.get("waiting") or state.get("terminated") or {}).get("reason")
        if reason:
            return str(reason)
    going = "Terminating" if pod["metadata"].get("deletionTimestamp") else ""
    return str(going or seen.get("reason") or seen.get("phase") or "Unknown")
