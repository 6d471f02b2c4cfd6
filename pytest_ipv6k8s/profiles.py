"""Profiles: which checks a claim such as "works IPv6-only" rests on, and what they say of it."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.checks import (
    ALL_STACKS,
    DUAL_STACK,
    ONLY_IPV6,
    WITH_IPV6,
    Area,
    Check,
    Level,
)
from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.verdicts import UNSETTLED, Result, Verdict


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
        areas: the areas of its checks; the level of a check says to which part it belongs.
        partly: areas of which it has only the core checks that are for none but its stacks.
        optional: whether only some clusters claim it: without being asked for, a skipped check
            of its areas leaves no gap in what a run says of a cluster.
    """

    name: str
    title: str
    stacks: frozenset[Stack]
    areas: tuple[Area, ...]
    partly: tuple[Area, ...] = ()
    optional: bool = False

    def part_of(self, declared: Check) -> Part | None:
        """Return what a check is to this profile, None when it is nothing to it."""
        if declared.level is Level.INFORMATIONAL:
            return None
        part = Part(declared.level.value)
        if self.covers(declared.area):
            return part
        alone = declared.stacks <= self.stacks and part is Part.CORE
        return part if alone and declared.area in {area.name for area in self.partly} else None

    def covers(self, area: str) -> bool:
        """Tell whether the checks of an area belong to this profile."""
        return area in {own.name for own in self.areas}

    def members(self, declared: Iterable[Check], part: Part) -> list[str]:
        """Return the ids of the checks that make up a part, sorted."""
        return sorted(check.id for check in declared if self.part_of(check) is part)


_BASE = (Area.ADDR, Area.API, Area.SVC, Area.DNS, Area.MTU, Area.NODE)

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
            areas=_BASE,
            partly=(Area.EGR,),
        ),
        Profile(
            name="egress-nat66",
            title="Pods reach the IPv6 Internet from an address of the node",
            stacks=WITH_IPV6,
            areas=(Area.EGR,),
        ),
        Profile(
            name="nat64",
            title="Pods reach the IPv4 Internet through NAT64 and DNS64",
            stacks=WITH_IPV6,
            areas=(Area.N64,),
            optional=True,
        ),
        Profile(
            name="network-policy",
            title="NetworkPolicy holds for every family",
            stacks=ALL_STACKS,
            areas=(Area.POL,),
            optional=True,
        ),
    )
}


def is_demanded(area: str, asked: Collection[str]) -> bool:
    """Tell whether a core check of an area must not be skipped.

    Args:
        area: the first part of an id.
        asked: names of the profiles that were asked for.
    """
    return not any(
        profile.covers(area) and profile.optional and profile.name not in asked
        for profile in PROFILES.values()
    )


def validate(asked: Iterable[str], stack: Stack) -> None:
    """Refuse profiles that cannot be claimed.

    Args:
        asked: names of profiles.
        stack: the stack of the cluster.

    Raises:
        ConfigError: one of them is not for this stack.
    """
    able = [name for name, profile in PROFILES.items() if stack in profile.stacks]
    for name in asked:
        if name not in able:
            raise ConfigError(
                f"profile {name} is not for a cluster whose stack is {stack.value}",
                remedy=f"give one of {', '.join(able)}",
            )


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
        verdict is None or verdict in UNSETTLED or (verdict is Verdict.SKIP and part is Part.CORE)
        for verdict in counted.values()
    )
    proven = any(verdict is Verdict.PASS for verdict in counted.values())
    return Result.SUCCESS if proven and not gap else Result.PARTIAL


_RULED_OUT = Verdict.NOT_APPLICABLE
