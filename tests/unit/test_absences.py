"""What is declared not to be there, and what nobody declared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ipv6k8s.absences import declared_absent
from pytest_ipv6k8s.addresses import Egress
from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.external.declaration import read, text
from pytest_ipv6k8s.external.model import ExternalNetwork
from pytest_ipv6k8s.features import Feature
from tests.unit.test_declaration import FACTS, _file
from tests.unit.test_features import BARE

NETWORK = ExternalNetwork(source="declared")


@pytest.mark.parametrize(
    ("feature", "network", "absent"),
    [
        (Feature.NAT64, {"no_nat64": True}, True),
        (Feature.DNS64, {"no_nat64": True}, True),
        (Feature.NAT64, {}, False),
        (Feature.NATIVE_EGRESS, {"egress": Egress.MASQUERADE}, True),
        (Feature.NATIVE_EGRESS, {"egress": Egress.NATIVE}, False),
        (Feature.MASQUERADE, {"egress": Egress.NATIVE}, True),
        (Feature.MASQUERADE, {}, False),
        (Feature.EGRESS, {"egress": Egress.NONE}, True),
        (Feature.ZONE, {"no_nat64": True}, False),
    ],
)
def test_only_what_is_declared_not_to_be_there_is_absent(
    feature: Feature, network: dict[str, object], absent: bool
) -> None:
    facts = replace(BARE, external=replace(NETWORK, **network))  # type: ignore[arg-type]

    reason = declared_absent(feature, facts)

    assert bool(reason) is absent
    assert not absent or reason.startswith("declared not to be there: ")
    assert declared_absent(feature, BARE) == ""


@pytest.mark.parametrize(
    ("line", "absent"),
    [("", False), ("networkPolicy: none", True), ("networkPolicy: enforced", False)],
)
def test_network_policy_is_absent_where_it_is_declared_so(
    tmp_path: Path, line: str, absent: bool
) -> None:
    facts = replace(BARE, inventory=read(_file(tmp_path, line)).over(FACTS))

    assert bool(declared_absent(Feature.NETWORK_POLICY, facts)) is absent


def test_no_nat64_is_read_and_written(tmp_path: Path) -> None:
    network = read(_file(tmp_path, "nat64: none")).external

    assert network is not None
    assert network == replace(NETWORK, no_nat64=True)
    assert "nat64: none" in text(FACTS.stack, network)


@pytest.mark.parametrize("value", ["nothing", "[]"])
def test_nat64_is_a_mapping_or_none(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigError, match="nat64: "):
        read(_file(tmp_path, f"nat64: {value}"))
