"""Every check fails in a world that is broken in the way the check is for."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import pytest

from pytest_ipv6k8s import catalogue
from pytest_ipv6k8s.evidence import API_SERVER
from pytest_ipv6k8s.verdicts import Verdict
from tests.checks.breaking import Broken
from tests.checks.world import World, record_check


def _rows() -> list[Broken]:
    """Return the rows of every module here whose name starts with broken_."""
    found: list[Broken] = []
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if module.name.startswith("broken_"):
            found += importlib.import_module(f"tests.checks.{module.name}").ROWS
    return found


ALL = _rows()


@pytest.mark.parametrize("broken", ALL, ids=lambda b: f"{b.id}-{b.name}-{b.stack.value}")
def test_broken_world_fails(broken: Broken) -> None:
    world = World(broken.stack)
    broken.break_it(world)

    judgement, records = record_check(world, broken.id, broken.family)

    assert judgement.verdict is Verdict.FAIL, judgement
    asked = [record for record in records if record.source != API_SERVER]
    assert not asked or any(record.mark.failed for record in records), "it has no place"


def test_every_check_has_a_world_in_which_it_fails() -> None:
    informational = {
        id for id, check in catalogue.checks().items() if check.level.value == "informational"
    }
    assert set(catalogue.checks()) - informational - {broken.id for broken in ALL} == set()
