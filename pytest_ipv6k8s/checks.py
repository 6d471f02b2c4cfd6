"""What a check declares, and the decorator with which it does."""

from __future__ import annotations

import enum
import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.features import Feature

ALL_STACKS = frozenset(Stack)
WITH_IPV6 = frozenset({Stack.IPV6, Stack.DUAL, Stack.DUAL_IPV6})
DUAL_STACK = frozenset({Stack.DUAL, Stack.DUAL_IPV6})
SINGLE_STACK = frozenset({Stack.IPV4, Stack.IPV6})
ONLY_IPV6 = frozenset({Stack.IPV6})
WITH_IPV4 = ALL_STACKS - ONLY_IPV6

_ID = re.compile(r"[A-Z0-9]+-\d\d")
_ATTRIBUTE = "__ipv6k8s_check__"
_Function = TypeVar("_Function", bound=Callable[..., object])


class Level(enum.Enum):
    """How much a check weighs."""

    CORE = "core"
    EXTENDED = "extended"
    INFORMATIONAL = "informational"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """All facts of a conformance item, in one place.

    Attributes:
        id: ``AREA-NN``; never reused.
        requirement: the first line of the docstring.
        explanation: the rest of the docstring.
        level: core, extended or informational.
        stacks: the stacks on which it applies.
        families: one item for each of these that the cluster has; empty: one item in all.
        needs: preconditions; one that is not met skips the check.
        references: who says so: RFC, KEP or documentation, with the section.
        causes: why clusters usually fail it, the likeliest first.
        look: a command that looks further.
        matrix: whether its TCP connections between probes are cells of the report's matrix of
            nodes.
    """

    id: str
    requirement: str
    explanation: str
    level: Level
    stacks: frozenset[Stack]
    families: tuple[Family, ...]
    features: tuple[Feature, ...]
    references: tuple[str, ...]
    causes: tuple[str, ...]
    look: str
    matrix: bool = False

    @property
    def area(self) -> str:
        """The part of the id before the hyphen."""
        return self.id.split("-")[0]


def check(
    id: str,
    *,
    references: Iterable[str],
    causes: Iterable[str],
    look: str,
    level: Level = Level.CORE,
    stacks: frozenset[Stack] = ALL_STACKS,
    families: Iterable[Family] = (),
    features: Iterable[Feature] = (),
    matrix: bool = False,
) -> Callable[[_Function], _Function]:
    """Declare a function to be a conformance check; see :class:`Check` for the arguments.

    Raises:
        ValueError: the id is not ``AREA-NN``, or the function has no docstring.
    """
    if not _ID.fullmatch(id):
        raise ValueError(f"check id {id!r} is not of the form AREA-NN")

    def declare(function: _Function) -> _Function:
        requirement, explanation = _docstring_of(function, id)
        declared = Check(
            id=id,
            requirement=requirement,
            explanation=explanation,
            level=level,
            stacks=stacks,
            families=tuple(families),
            features=tuple(features),
            references=tuple(references),
            causes=tuple(causes),
            look=look,
            matrix=matrix,
        )
        setattr(function, _ATTRIBUTE, declared)
        return function

    return declare


def _docstring_of(function: object, id: str) -> tuple[str, str]:
    """Return a check's requirement and its explanation."""
    requirement, _, explanation = (inspect.getdoc(function) or "").partition("\n")
    if not requirement:
        raise ValueError(f"check {id} has no docstring: its first line is the requirement")
    return requirement.rstrip("."), explanation.strip()


def check_of(function: object) -> Check | None:
    """Return what a function declares, or None when it is no check."""
    declared = getattr(function, _ATTRIBUTE, None)
    return declared if isinstance(declared, Check) else None
