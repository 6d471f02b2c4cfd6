"""All checks of the suite, found in its modules."""

from __future__ import annotations

import functools
import hashlib
import importlib
import pkgutil
from collections.abc import Callable, Collection
from typing import Any

from pytest_ipv6k8s.checks import Area, Check, check_of

SUITE = "pytest_ipv6k8s.conformance"


@functools.cache
def functions() -> dict[str, Callable[..., Any]]:
    """Return the function of every check, by id, in the order of areas.

    Raises:
        ValueError: two checks share an id, or the area of one is not in :class:`Area`.
    """
    found: dict[str, Callable[..., Any]] = {}
    for module in pkgutil.iter_modules(importlib.import_module(SUITE).__path__):
        if not module.name.startswith("test_"):
            continue
        for function in vars(importlib.import_module(f"{SUITE}.{module.name}")).values():
            declared = check_of(function)
            if declared is None:
                continue
            if declared.area not in Area.__members__:
                raise ValueError(f"there is no area of check {declared.id}")
            if found.setdefault(declared.id, function) is not function:
                raise ValueError(f"two checks have the id {declared.id}")
    order = sorted(found, key=lambda id: (Area.place(id.partition("-")[0]), id))
    return {id: found[id] for id in order}


def checks() -> dict[str, Check]:
    """Return what every check declares, by id, in the order of areas."""
    declared = ((id, check_of(function)) for id, function in functions().items())
    return {id: item for id, item in declared if item is not None}


def is_chosen(declared: Check, words: Collection[str]) -> bool:
    """Tell whether ids and areas choose a check: those named, or all; never one with a ``!``."""
    names = {declared.id, declared.area}
    wanted = {word for word in words if not word.startswith("!")}
    unwanted = {word.removeprefix("!") for word in words if word not in wanted}
    return (not wanted or bool(names & wanted)) and not names & unwanted


def revision() -> str:
    """Return a digest over what the checks are and require, to tell catalogues apart."""
    lines = [
        "\t".join(
            (
                declared.id,
                declared.level.value,
                ",".join(sorted(stack.value for stack in declared.stacks)),
                ",".join(family.value for family in declared.families),
                declared.requirement,
            )
        )
        for _, declared in sorted(checks().items())
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]
