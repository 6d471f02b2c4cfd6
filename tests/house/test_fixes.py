"""Fixes are sentences with a command or a setting, for checks that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_ipv6k8s import catalogue
from pytest_ipv6k8s.checks import REFERENCE, Area, Level
from pytest_ipv6k8s.fixes import Component, Fix, fixes, fixes_of

CHECKS = catalogue.checks()
TO_BE_FIXED = set(Area.__members__) - {"API", "NODE"}
NOBODYS_SETTING = {"ADDR-11"}  # whoever writes addresses has to write them as RFC 5952 wants it


def _problems(fix: Fix) -> Iterator[str]:
    unknown = [name for name in fix.checks if name not in CHECKS and name not in Area.__members__]
    if unknown or not fix.checks or len(set(fix.checks)) < len(fix.checks):
        yield f"is for nothing, for {unknown}, or for something twice"
    prose = re.sub(r"`[^`]*`", "x", fix.text)
    if not fix.text.endswith((".", "`.")) or re.search(r"[.!?]\s", prose):
        yield "is not one sentence"
    if fix.text.count("`") % 2:
        yield "has a quotation that does not end"
    if fix.source and not REFERENCE.fullmatch(fix.source[0].upper() + fix.source[1:]):
        yield f"has the source {fix.source!r}, which is not named as checks name theirs"


def test_a_fix_is_one_sentence_for_checks_that_exist() -> None:
    assert [f"{fix.text}: {problem}" for fix in fixes() for problem in _problems(fix)] == []


def test_no_fix_is_told_twice() -> None:
    told = [(fix.component, fix.text) for fix in fixes()]
    assert len(set(told)) == len(told)


def test_every_component_has_a_fix() -> None:
    assert {fix.component for fix in fixes()} == set(Component)


def test_a_core_check_that_a_setting_can_turn_green_has_a_fix() -> None:
    unfixed = [
        id
        for id, declared in CHECKS.items()
        if declared.level is Level.CORE and declared.area in TO_BE_FIXED
        if id not in NOBODYS_SETTING and not fixes_of(id)
    ]
    assert unfixed == []
