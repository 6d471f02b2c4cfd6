"""The check that CONTRIBUTING.md adds step by step is valid: it passes, and it can fail."""

from __future__ import annotations

import re
from types import ModuleType

import pytest
import yaml

from pytest_ipv6k8s import catalogue
from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.fixes import Component
from pytest_ipv6k8s.verdicts import Verdict
from tests.checks import broken_cluster
from tests.checks.breaking import Broken
from tests.checks.world import World, run_check
from tests.house.tree import ROOT

BLOCKS = re.findall(
    r"^```(python|yaml)\n(.*?)^```", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.M | re.S
)
CHECK, ROWS, FIX, MUST = (text for _, text in BLOCKS)
KNOWN = catalogue.functions()
ID = "SVC-99"


@pytest.fixture(autouse=True)
def _example(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add the check to the catalogue, as if its file were there."""
    module = ModuleType("example")
    exec(compile(CHECK, "CONTRIBUTING.md", "exec"), vars(module))
    example = module.test_cluster_ip_answers_a_burst
    monkeypatch.setattr(catalogue, "functions", lambda: {**KNOWN, ID: example})


@pytest.mark.parametrize("stack", Stack)
def test_it_passes_where_everything_works(stack: Stack) -> None:
    for family in stack.families:
        assert run_check(World(stack), ID, family).verdict is Verdict.PASS


def test_it_fails_in_each_of_its_broken_worlds() -> None:
    found = dict(vars(broken_cluster))
    exec(ROWS, found)
    rows: list[Broken] = found["SVC"]
    assert {row.id for row in rows} == {ID}
    for row in rows:
        world = World(row.stack)
        row.break_it(world)
        assert run_check(world, row.id, row.family).verdict is Verdict.FAIL, row.name


def test_its_fix_and_its_fault_name_what_exists() -> None:
    (fix,) = yaml.safe_load(FIX)
    assert Component(fix["component"])
    named = {*fix["checks"], *re.findall(r'"([A-Z]+-\d\d)"', MUST)}
    assert named - set(KNOWN) == {ID}
