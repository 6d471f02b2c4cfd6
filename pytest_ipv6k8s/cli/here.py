"""What would run on a cluster: told from its API, the declaration and the options alone."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from pytest_ipv6k8s import wanted
from pytest_ipv6k8s.absences import not_applicable
from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.checks import Check, FamiliesOf
from pytest_ipv6k8s.cli import connection
from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.external.model import ExternalNetwork
from pytest_ipv6k8s.kube import inventory
from pytest_ipv6k8s.probe.placing import place
from pytest_ipv6k8s.remedies import what
from pytest_ipv6k8s.settings import OPTIONS, Allow, External, Settings, resolve

TAKEN = tuple(option for option in OPTIONS if option.path[0] in ("probes", "external"))
"""The options of a run which decide what is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Whether a check would run, None when only probes can tell; and why not, or what they tell."""

    runs: bool | None
    reason: str = ""

    def __str__(self) -> str:
        return "would run" if self.runs else self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class _World:
    """The facts of a run that has not begun, as far as features read them."""

    inventory: inventory.Inventory
    external: ExternalNetwork | None
    pods: Sequence[Any]
    hosts: Sequence[Any] = ()
    services: Sequence[Any] = ()
    no_hosts: str = ""
    no_targets: str = ""
    sctp: bool = False
    ping: bool = False

    def stack_of(self, whose: FamiliesOf) -> Stack:
        facts = self.inventory
        return facts.pod_stack if whose is FamiliesOf.PODS else facts.stack


def looker(chosen: argparse.Namespace) -> Callable[[Check], Outlook] | None:
    """Return what tells of a check whether it would run; None when no cluster is asked for.

    Raises:
        ConfigError: an option is no good, or nobody asked for a cluster that it could be about.
        Ipv6k8sError: the cluster cannot be asked, or takes no probe.
    """
    given = {option.ini: getattr(chosen, option.ini) for option in TAKEN}
    if not (chosen.here or chosen.kubeconfig or chosen.context):
        typed = next((option.flag for option in TAKEN if given[option.ini]), "")
        if typed:
            raise ConfigError(f"{typed} is given, and no cluster", remedy="give --here as well")
        return None
    settings = resolve(given, os.environ, {})
    if settings.external.source is External.TESTBED:
        raise ConfigError("what a testbed has is not known before", remedy="leave it out here")
    declared = wanted.declaration(settings)
    facts = declared.over(inventory.read(connection.api(chosen)))
    external = declared.external if settings.external.source is External.AUTO else None
    nodes = place(facts.nodes, wanted.wish(settings)).nodes
    pods = [SimpleNamespace(node=node.name) for node in nodes]
    least = _World(inventory=facts, external=external, pods=pods)
    best = _at_best(least, settings)
    return lambda check: _outlook(check, least, best)


def _at_best(least: _World, settings: Settings) -> _World:
    """Return the world in which everything is found that only probes can find."""
    allowed = Allow.PRIVILEGED in settings.probes.allow
    dns = inventory.DnsService(namespace="", name="", cluster_ips=())
    return replace(
        least,
        inventory=replace(least.inventory, dns=dns),
        pods=[*least.pods, least.pods[0]],
        hosts=least.pods if allowed else (),
        services=[SimpleNamespace(node_ports=allowed)],
        sctp=True,
        ping=True,
    )


def _outlook(declared: Check, least: _World, best: _World) -> Outlook:
    absent = not_applicable(declared, best)
    if absent:
        return Outlook(runs=False, reason=f"not applicable, {absent}")
    for feature in declared.features:
        if not feature.is_met(best):
            return Outlook(runs=False, reason=feature.skip_reason(best))
    open_ = [feature for feature in declared.features if not feature.is_met(least)]
    if open_:
        needed = " and ".join(what(feature.sentence) for feature in open_)
        return Outlook(runs=None, reason=f"needs probes to know: {needed}")
    return Outlook(runs=True)
