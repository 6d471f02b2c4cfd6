"""What every check has to say of itself."""

from __future__ import annotations

import inspect
from pathlib import Path

from pytest_ipv6k8s import catalogue
from tests.house.tree import ROOT


def test_it_stands_in_the_file_of_its_area() -> None:
    for id, function in catalogue.functions().items():
        file = Path(inspect.getfile(inspect.unwrap(function))).name
        assert file.startswith(f"test_{id.split('-')[0].lower()}_"), f"{id} is in {file}"


def test_there_are_at_least_sixty() -> None:
    assert len(catalogue.checks()) >= 60


def test_what_is_judged_is_not_asked_until_it_is_right() -> None:
    """``settle`` waits and judges nothing; ``eventually`` would retry what it judges."""
    rooms = ("conformance", "pytest_ipv6k8s/suite", "pytest_ipv6k8s/netpol")
    modules = [path for room in rooms for path in (ROOT / room).rglob("*.py")]

    assert len(modules) > 40
    assert [path.name for path in modules if "eventually" in path.read_text()] == []
