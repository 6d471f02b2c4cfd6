"""On which nodes probes are put, and why not on the others."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pytest_ipv6k8s.addresses import Family, families_of
from pytest_ipv6k8s.errors import ConfigError, by_reason
from pytest_ipv6k8s.kube import taints
from pytest_ipv6k8s.kube.inventory import Node

_ROLE = "node-role.kubernetes.io/"
_TRAITS = (
    "topology.kubernetes.io/zone",
    "kubernetes.io/arch",
    "node.kubernetes.io/instance-type",
    "eks.amazonaws.com/nodegroup",
    "cloud.google.com/gke-nodepool",
    "kubernetes.azure.com/agentpool",
    "karpenter.sh/nodepool",
    "machine.openshift.io/cluster-api-machineset",
)
"""Labels by which nodes of a cluster differ: zones, architectures, instance types and pools."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A node without a probe, and why.

    Attributes:
        node: its name.
        reason: in words.
        unconnected: whether it could not connect the probe to the pods' network.
    """

    node: str
    reason: str
    unconnected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The nodes that are to have a probe, those with all families first, and those that are not."""

    nodes: tuple[Node, ...]
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which nodes the operator wants.

    Attributes:
        most: at most so many.
        selector: labels that they have.
        tolerations: on top of our own.
        turn: changes which of many equal nodes are taken; the run's id.
    """

    most: int
    selector: Mapping[str, str]
    tolerations: Sequence[Mapping[str, str]] = ()
    turn: str = ""


def place(nodes: Sequence[Node], wish: Wish) -> Placed:
    """Choose the nodes that get a probe: as different ones as there are.

    Raises:
        ConfigError: none can take one; names the reasons.
    """
    reasons = {node.name: _why_not(node, wish) for node in nodes}
    able = [node for node in nodes if not reasons[node.name]]
    if not able:
        raise _nowhere([LeftOut(node=name, reason=why) for name, why in reasons.items()])
    chosen = {node.name for node in _spread(able, wish.most, wish.turn)}
    beyond = f"more than --ipv6k8s-max-nodes {wish.most}"
    return Placed(
        nodes=tuple(sorted((node for node in able if node.name in chosen), key=_lacks)),
        left_out=tuple(
            LeftOut(node=name, reason=why or beyond)
            for name, why in reasons.items()
            if name not in chosen
        ),
    )


def _lacks(node: Node) -> int:
    """Return how many families a node lacks: the first one has the peer, and is to have all."""
    return len(Family) - len(families_of(node.host_ips))


def _why_not(node: Node, wish: Wish) -> str:
    if any(node.labels.get(key) != value for key, value in wish.selector.items()):
        return "not of --ipv6k8s-node-selector"
    if not node.ready:
        return "NotReady"
    tolerated = (*taints.OURS, *wish.tolerations)
    return ", ".join(str(taint) for taint in node.taints if not taint.is_tolerated(tolerated))


def _nowhere(left_out: Sequence[LeftOut]) -> ConfigError:
    tainted = any("taint " in one.reason for one in left_out)
    remedy = "check `kubectl get nodes` and --ipv6k8s-node-selector"
    return ConfigError(
        f"no node can take a probe: {named(left_out)}",
        remedy="let probes tolerate a taint with --ipv6k8s-toleration KEY" if tainted else remedy,
    )


def _spread(nodes: Sequence[Node], most: int, turn: str) -> list[Node]:
    """Take one node after the other, each time the one whose traits were seen least."""
    left = sorted(nodes, key=lambda node: hashlib.sha256(f"{turn} {node.name}".encode()).digest())
    seen: Counter[tuple[str, str]] = Counter()
    chosen: list[Node] = []
    while left and len(chosen) < most:
        best = max(
            left, key=lambda node: sum(1 / (1 + seen[trait]) ** 2 for trait in _traits(node))
        )
        left.remove(best)
        chosen.append(best)
        seen.update(_traits(best))
    return chosen


def _traits(node: Node) -> list[tuple[str, str]]:
    roles = ",".join(sorted(label for label in node.labels if label.startswith(_ROLE)))
    labels = [(name, node.labels.get(name, "")) for name in _TRAITS]
    return [*labels, ("kernel", node.kernel), ("role", roles)]


def named(left_out: Iterable[LeftOut]) -> str:
    """Return in one line which nodes were left out, and why."""
    return by_reason((one.node, one.reason) for one in left_out)
