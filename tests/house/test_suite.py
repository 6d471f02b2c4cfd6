"""What every check has to say of itself."""

from __future__ import annotations

import inspect
from pathlib import Path

from pytest_ipv6k8s import catalogue


def test_it_stands_in_the_file_of_its_area() -> None:
    for id, function in catalogue.functions().items():
        file = Path(inspect.getfile(inspect.unwrap(function))).name
        assert file.startswith(f"test_{id.split('-')[0].lower()}_"), f"{id} is in {file}"


def test_there_are_at_least_sixty() -> None:
    assert len(catalogue.checks()) >= 60
