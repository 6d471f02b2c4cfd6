"""What is declared not to be there: then a check that is about it has nothing to judge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_ipv6k8s.addresses import Egress
from pytest_ipv6k8s.features import ABSENT, Facts, Feature


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


def declared_absent(feature: Feature, facts: Facts) -> str:
    """Return the reason for which a check is not applicable; empty where nobody declared so."""
    if feature is Feature.NETWORK_POLICY:
        absent = facts.inventory.policy_declared_none
    else:
        told = _ABSENT.get(feature)
        absent = bool(told and facts.external and told(facts.external))
    return f"{ABSENT}: {feature.sentence.partition(':')[0]}" if absent else ""
