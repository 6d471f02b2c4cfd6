"""What a report claims: profiles, each with what its core and extended checks say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.checks import Check
from pytest_ipv6k8s.profiles import PROFILES, Part, Profile, result_of
from pytest_ipv6k8s.verdicts import Verdict

NOT_RUN = "not run"
_REACHED = {Verdict.PASS.value, Verdict.FAIL.value, Verdict.INCONCLUSIVE.value}
_LISTS = {"failed": Verdict.FAIL, "inconclusive": Verdict.INCONCLUSIVE, "skipped": Verdict.SKIP}


def claims(
    checks: Sequence[Mapping[str, Any]],
    declared: Mapping[str, Check],
    stack: Stack,
    asked: Sequence[str] = (),
) -> tuple[dict[str, Any], ...]:
    """Return the profiles that a run claims, and what became of them.

    Args:
        checks: the checks that ran, as in the document.
        declared: every check that there is, by id.
        stack: the stack of the cluster.
        asked: the profiles that were asked for. Without, a profile is claimed when one of its
            core checks came to a verdict.
    """
    verdicts = {check["id"]: check["verdict"] for check in checks}
    claimed = []
    for name, profile in PROFILES.items():
        core = profile.members(declared.values(), Part.CORE)
        if asked:
            wanted = name in asked
        else:
            wanted = stack in profile.stacks and any(verdicts.get(id) in _REACHED for id in core)
        if wanted:
            claimed.append(_claim(profile, core, declared, checks))
    return tuple(claimed)


def _claim(
    profile: Profile,
    core: list[str],
    declared: Mapping[str, Check],
    checks: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    extended = profile.members(declared.values(), Part.EXTENDED)
    claim: dict[str, Any] = {
        "name": profile.name,
        "title": profile.title,
        "core": part(Part.CORE, core, checks),
    }
    if extended:
        claim["extended"] = part(Part.EXTENDED, extended, checks)
    return claim


def part(kind: Part, ids: Sequence[str], checks: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the checks with these ids say of one part of a profile."""
    found = {check["id"]: check for check in checks}
    verdicts = {id: Verdict(found[id]["verdict"]) if id in found else None for id in ids}
    waived = [id for id in ids if "waived" in found.get(id, {})]
    statistics = {verdict.value: 0 for verdict in Verdict} | {NOT_RUN: 0}
    for verdict in verdicts.values():
        statistics[verdict.value if verdict else NOT_RUN] += 1
    return {
        "result": result_of(kind, verdicts, waived).value,
        "statistics": statistics,
        **{
            name: [id for id, verdict in verdicts.items() if verdict is listed]
            for name, listed in _LISTS.items()
        },
        "notRun": [id for id, verdict in verdicts.items() if verdict is None],
        "waived": waived,
        "checks": list(ids),
    }
