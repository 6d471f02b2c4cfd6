"""Fixes are sentences with a command or a setting, for checks that exist."""

from __future__ import annotations

import re

import pytest

from pytest_ipv6k8s import catalogue
from pytest_ipv6k8s.checks import REFERENCE, Area, Level
from pytest_ipv6k8s.fixes import Component, Fix, fixes, fixes_of

CHECKS = catalogue.checks()
TO_BE_FIXED = set(Area.__members__) - {"API", "NODE"}
NOBODYS_SETTING = {"ADDR-11"}  # whoever writes addresses has to write them as RFC 5952 wants it


def _name(fix: Fix) -> str:
    return f"{fix.component.value}-{fix.checks[0]}"


@pytest.mark.parametrize("fix", fixes(), ids=_name)
def test_a_fix_is_for_checks_that_exist(fix: Fix) -> None:
    assert fix.checks
    assert not [name for name in fix.checks if name not in CHECKS and name not in Area.__members__]
    assert len(set(fix.checks)) == len(fix.checks)


@pytest.mark.parametrize("fix", fixes(), ids=_name)
def test_a_fix_is_one_sentence(fix: Fix) -> None:
    prose = re.sub(r"`[^`]*`", "x", fix.text)
    assert fix.text.endswith(".") or fix.text.endswith("`.")
    assert not re.search(r"[.!?]\s", prose), prose
    assert fix.text.count("`") % 2 == 0


@pytest.mark.parametrize("fix", [f for f in fixes() if f.source], ids=_name)
def test_a_source_is_named_as_checks_name_theirs(fix: Fix) -> None:
    assert REFERENCE.fullmatch(fix.source[0].upper() + fix.source[1:]), fix.source


def test_no_fix_is_told_twice() -> None:
    told = [(fix.component, fix.text) for fix in fixes()]
    assert len(set(told)) == len(told)


def test_every_component_has_a_fix() -> None:
    assert {fix.component for fix in fixes()} == set(Component)


@pytest.mark.parametrize("id", CHECKS)
def test_a_core_check_that_a_setting_can_turn_green_has_a_fix(id: str) -> None:
    declared = CHECKS[id]
    wanted = declared.level is Level.CORE and declared.area in TO_BE_FIXED
    if wanted and id not in NOBODYS_SETTING:
        assert fixes_of(id), f"{id}: {'; '.join(declared.causes)}"
