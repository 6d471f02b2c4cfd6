"""What the settings want of probes: how their pods are made, and on which nodes."""

from __future__ import annotations

from pytest_ipv6k8s.kube.objects import Manner
from pytest_ipv6k8s.probe.placing import Wish
from pytest_ipv6k8s.settings import Settings


def manner(settings: Settings) -> Manner:
    """Return how pods and namespaces are made."""
    wanted = settings.probes
    return Manner(
        image=settings.cluster.probe_image,
        tolerations=wanted.toleration,
        pull_secret=wanted.pull_secret,
        labels=wanted.labels,
        annotations=wanted.annotations,
        priority_class=wanted.priority_class,
        requests=wanted.requests,
        limits=wanted.limits,
    )


def wish(settings: Settings, turn: str = "") -> Wish:
    """Return on which nodes probes are wanted; ``turn`` changes which of many equal ones."""
    wanted = settings.probes
    return Wish(
        most=wanted.max_nodes,
        selector=dict(wanted.node_selector),
        tolerations=wanted.toleration,
        turn=turn,
    )
