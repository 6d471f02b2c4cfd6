"""Which nodes a pod of ours may be bound to: taints, and the tolerations of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OURS: tuple[Mapping[str, str], ...] = (
    {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"},
    {"key": "node-role.kubernetes.io/master", "operator": "Exists"},
)
"""Every probe tolerates these; OpenShift has had the second one up to 4.21."""

_UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
CORDON: Mapping[str, str] = {"key": _UNSCHEDULABLE, "operator": "Exists"}
"""No cordoned node is chosen; one that is cordoned during the run takes its later pods, too."""

NOT_READY = "node.kubernetes.io/not-ready"
"""Stays for some seconds after a node is Ready: pkg/controller/nodelifecycle takes it off."""

_WORDS = {
    _UNSCHEDULABLE: "cordoned",
    NOT_READY: "NotReady",
    "node.kubernetes.io/unreachable": "unreachable",
    "node.kubernetes.io/memory-pressure": "MemoryPressure",
    "node.kubernetes.io/disk-pressure": "DiskPressure",
    "node.kubernetes.io/pid-pressure": "PIDPressure",
    "node.kubernetes.io/network-unavailable": "NetworkUnavailable",
}
"""Taints that Kubernetes itself sets, in the words of `kubectl get nodes`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taint:
    """A taint that keeps pods off a node."""

    key: str
    value: str = ""
    effect: str = "NoSchedule"

    def __str__(self) -> str:
        pair = f"{self.key}={self.value}" if self.value else self.key
        return _WORDS.get(self.key, f"taint {pair}")

    def is_tolerated(self, tolerations: Sequence[Mapping[str, str]]) -> bool:
        """Tell whether one of the tolerations matches, as the scheduler does it (core/v1)."""
        return any(self._matches(toleration) for toleration in tolerations)

    def _matches(self, toleration: Mapping[str, str]) -> bool:
        key, value = toleration.get("key", ""), toleration.get("value", "")
        exists = toleration.get("operator", "Equal") == "Exists"
        return (
            toleration.get("effect", self.effect) == self.effect
            and key in ((self.key, "") if exists else (self.key,))
            and (exists or value == self.value)
        )


def taints_of(node: Mapping[str, Any]) -> tuple[Taint, ...]:
    """Return what keeps pods off a node; a cordon counts before the taint of it is there."""
    spec = node.get("spec", {})
    found = [
        Taint(
            key=item["key"],
            value=item.get("value") or "",
            effect=item.get("effect") or "NoSchedule",
        )
        for item in spec.get("taints") or []
        if item.get("effect") != "PreferNoSchedule"
    ]
    if spec.get("unschedulable") and all(taint.key != _UNSCHEDULABLE for taint in found):
        found.append(Taint(key=_UNSCHEDULABLE))
    return tuple(found)
