"""Profiles: which checks a claim such as "works IPv6-only" rests on, and what they say of it."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.checks import ALL_STACKS, DUAL_STACK, ONLY_IPV6, WITH_IPV6, Check, Level
from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.verdicts import Result, Verdict


class Part(enum.Enum):
    """What a check is to a profile: what everybody must do, or what some features add."""

    CORE = "core"
    EXTENDED = "extended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a vendor can claim of a cluster.

    Attributes:
        name: as on the command line.
        title: the claim, in words.
        stacks: the stacks on which it can be claimed.
        areas: the areas of its checks.
        core: numbers of the one area's core checks; empty: those that declare the level core.
        only_for: core checks for these stacks alone belong to it, whatever their area.
    """

    name: str
    title: str
    stacks: frozenset[Stack]
    areas: tuple[str, ...]
    core: frozenset[int] = frozenset()
    only_for: frozenset[Stack] = frozenset()

    def part_of(self, declared: Check) -> Part | None:
        """Return what a check is to this profile, None when it is nothing to it."""
        if declared.level is Level.INFORMATIONAL:
            return None
        if declared.area not in self.areas:
            special = declared.level is Level.CORE and declared.stacks <= self.only_for
            return Part.CORE if special else None
        number = int(declared.id.split("-")[1])
        is_core = number in self.core if self.core else declared.level is Level.CORE
        return Part.CORE if is_core else Part.EXTENDED

    def members(self, declared: Iterable[Check], part: Part) -> list[str]:
        """Return the ids of the checks that make up a part, sorted."""
        return sorted(check.id for check in declared if self.part_of(check) is part)


_BASE = ("ADDR", "API", "SVC", "DNS", "MTU", "NODE")

PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            name="ipv6-only",
            title="Pods, Services and names work with IPv6 and nothing else",
            stacks=ONLY_IPV6,
            areas=_BASE,
        ),
        Profile(
            name="dual-stack",
            title="Pods, Services and names work with both families, in either order",
            stacks=DUAL_STACK,
            areas=(*_BASE, "LIFE"),
            only_for=DUAL_STACK,
        ),
        Profile(
            name="egress-nat66",
            title="Pods reach the IPv6 Internet from an address of the node",
            stacks=WITH_IPV6,
            areas=("EGR",),
            core=frozenset({1, 2, 3, 4, 5, 12, 13}),
        ),
        Profile(
            name="nat64",
            title="Pods reach the IPv4 Internet through NAT64 and DNS64",
            stacks=WITH_IPV6,
            areas=("N64",),
            core=frozenset({1, 2, 4, 5, 6, 7, *range(13, 18)}),
        ),
        Profile(
            name="network-policy",
            title="NetworkPolicy holds for every family",
            stacks=ALL_STACKS,
            areas=("POL",),
            core=frozenset(range(14)),
        ),
        Profile(
            name="load-balancer",
            title="Services are reached from outside on every family",
            stacks=ALL_STACKS,
            areas=("LB",),
            core=frozenset({1, 2, 4, 5, 6, 9, 10}),
        ),
        Profile(
            name="hardening",
            title="IPv6 opens nothing that IPv4 keeps closed",
            stacks=ALL_STACKS,
            areas=("HARD",),
            core=frozenset({*range(1, 8), 10, 12, 13}),
        ),
        Profile(
            name="lifecycle",
            title="Services keep working while their families change",
            stacks=DUAL_STACK,
            areas=("LIFE",),
        ),
    )
}


def validate(asked: Iterable[str], stack: Stack, declared: Collection[Check]) -> None:
    """Refuse profiles that cannot be claimed.

    Args:
        asked: names of profiles.
        stack: the stack of the cluster.
        declared: the checks that there are.

    Raises:
        ConfigError: one of them is not for this stack, or this version has no check for it.
    """
    able = [
        name
        for name, profile in PROFILES.items()
        if stack in profile.stacks and any(profile.part_of(check) for check in declared)
    ]
    for name in asked:
        if name in able:
            continue
        if stack not in PROFILES[name].stacks:
            problem = f"profile {name} is not for a cluster whose stack is {stack.value}"
        else:
            problem = f"this version has no check of profile {name}"
        raise ConfigError(problem, remedy=f"give one of {', '.join(able)}")


def result_of(
    part: Part, verdicts: Mapping[str, Verdict | None], waived: Collection[str]
) -> Result:
    """Return what a part's checks say of it.

    A check that the stack rules out does not count. A waived red check makes a part partial: it
    is accepted, and not met.

    Args:
        part: a skipped check leaves a gap in the core only.
        verdicts: by id; None for a check that did not run.
        waived: ids of the checks whose red verdict is accepted.
    """
    counted = {id: verdict for id, verdict in verdicts.items() if verdict is not _RULED_OUT}
    if any(verdict is Verdict.FAIL and id not in waived for id, verdict in counted.items()):
        return Result.FAILURE
    gap = any(
        verdict is None or verdict.is_red or (verdict is Verdict.SKIP and part is Part.CORE)
        for verdict in counted.values()
    )
    proven = any(verdict is Verdict.PASS for verdict in counted.values())
    return Result.SUCCESS if proven and not gap else Result.PARTIAL


_RULED_OUT = Verdict.NOT_APPLICABLE
