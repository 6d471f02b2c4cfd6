"""What the settings want: how probes are made and on which nodes, and what there is outside."""

from __future__ import annotations

from pytest_ipv6k8s.external.declaration import Declaration, read, with_options, with_targets
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


def declaration(settings: Settings) -> Declaration:
    """Return what is declared of the cluster, by the file and by options.

    Raises:
        ConfigError: it is no good.
    """
    given = settings.external
    by_file = Declaration(stack=None, external=None)
    if given.declaration:
        by_file = read(given.declaration)
    return with_options(
        with_targets(by_file, given.target),
        egress=given.egress,
        enforces_policy=given.enforces_policy,
    )
