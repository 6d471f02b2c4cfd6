"""What every check has to say of itself."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from pytest_ipv6k8s import catalogue
from pytest_ipv6k8s.checks import Check

CHECKS = catalogue.checks()
COMMANDS = (
    *("bridge", "cat", "conntrack", "curl", "dig", "docker", "getent", "grep", "ip", "ip6tables"),
    *("ipv6k8s", "kubectl", "ls", "nft", "nstat", "openssl", "ping", "ss", "sysctl", "tracepath"),
)


@pytest.mark.parametrize("declared", CHECKS.values(), ids=lambda c: c.id)
def test_it_explains_itself(declared: Check) -> None:
    assert len(declared.requirement) <= 110, len(declared.requirement)
    assert declared.references, "nobody says so"
    assert declared.causes, "no likely cause"
    assert re.split(r"[\s;]", declared.look)[0] in COMMANDS, declared.look


def test_it_stands_in_the_file_of_its_area() -> None:
    for id, function in catalogue.functions().items():
        file = Path(inspect.getfile(inspect.unwrap(function))).name
        assert file.startswith(f"test_{id.split('-')[0].lower()}_"), f"{id} is in {file}"


def test_there_are_at_least_sixty() -> None:
    assert len(CHECKS) >= 60
