"""Checks that have nothing to judge: for the stack, or as their subject is declared away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from pytest_ipv6k8s.addresses import Egress, Stack
from pytest_ipv6k8s.checks import Check, FamiliesOf
from pytest_ipv6k8s.features import ABSENT, Facts, Feature
from pytest_ipv6k8s.remedies import what


class Families(Facts, Protocol):
    """What is known of a run, with the families of its pods and Services."""

    def stack_of(self, whose: FamiliesOf) -> Stack:
        """Return the stack of pods or of Services."""


def _another_style(style: Egress) -> Callable[[Any], bool]:
    return lambda network: network.egress not in (None, style)


_ABSENT: Mapping[Feature, Callable[[Any], bool]] = {
    **dict.fromkeys(
        (
            *(Feature.NAT64, Feature.NAT64_POOL, Feature.NAT64_PREFIXES, Feature.DNS64),
            *(Feature.WELL_KNOWN_PREFIX, Feature.LOCAL_USE_PREFIX),
        ),
        lambda network: network.no_nat64,
    ),
    **dict.fromkeys(
        (Feature.EGRESS, Feature.EGRESS_STYLE), lambda network: network.egress is Egress.NONE
    ),
    Feature.NATIVE_EGRESS: _another_style(Egress.NATIVE),
    Feature.MASQUERADE: _another_style(Egress.MASQUERADE),
}


def not_applicable(declared: Check, facts: Families) -> str:
    """Return why a check has nothing to judge; empty when it has."""
    stack = facts.stack_of(declared.families_of)
    if stack not in declared.stacks:
        names = ", ".join(stack.value for stack in Stack if stack in declared.stacks)
        return f"stack {stack.value}: applies to {names}"
    absent = (declared_absent(feature, facts) for feature in declared.features)
    return next(filter(None, absent), "")


def declared_absent(feature: Feature, facts: Facts) -> str:
    """Return the reason for which a check is not applicable; empty where nobody declared so."""
    if feature is Feature.NETWORK_POLICY:
        absent = facts.inventory.policy_declared_none
    else:
        told = _ABSENT.get(feature)
        absent = bool(told and facts.external and told(facts.external))
    return f"{ABSENT}: {what(feature.sentence)}" if absent else ""
