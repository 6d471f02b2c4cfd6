"""What a report claims: profiles, each with what its core and extended checks say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.checks import Check
from pytest_ipv6k8s.profiles import PROFILES, Part, Profile, result_of
from pytest_ipv6k8s.reports.model import CheckResult, Claim, ClaimedPart
from pytest_ipv6k8s.verdicts import UNSETTLED, Verdict

NOT_RUN = "not run"
_REACHED = (Verdict.PASS, *UNSETTLED)


def claims(
    checks: Sequence[CheckResult],
    declared: Mapping[str, Check],
    stack: Stack,
    asked: Sequence[str] = (),
) -> tuple[Claim, ...]:
    """Return the profiles that a run claims, and what became of them.

    Args:
        checks: what became of the checks that ran.
        declared: every check that there is, by id.
        stack: the stack of the cluster.
        asked: the profiles that were asked for. Without, a profile is claimed when half of its
            core checks that apply, or more, came to a verdict; an optional one of something that is
            declared not to be there is not.
    """
    reached = {check.id for check in checks if check.verdict in _REACHED}
    absent = {check.id for check in checks if check.is_absent}
    ruled_out = {check.id for check in checks if check.verdict is Verdict.NOT_APPLICABLE}
    claimed = []
    for name, profile in PROFILES.items():
        core = profile.members(declared.values(), Part.CORE)
        declined = profile.optional and absent & set(core)
        judged, applying = reached & set(core), set(core) - ruled_out
        half = judged and 2 * len(judged) >= len(applying)
        suits = stack in profile.stacks and half and not declined
        if name in asked if asked else suits:
            claimed.append(_claim(profile, core, declared, checks))
    return tuple(claimed)


def _claim(
    profile: Profile,
    core: list[str],
    declared: Mapping[str, Check],
    checks: Sequence[CheckResult],
) -> Claim:
    extended = profile.members(declared.values(), Part.EXTENDED)
    return Claim(
        name=profile.name,
        title=profile.title,
        core=part(Part.CORE, core, checks),
        extended=part(Part.EXTENDED, extended, checks) if extended else None,
    )


def part(kind: Part, ids: Sequence[str], checks: Iterable[CheckResult]) -> ClaimedPart:
    """Return what the checks with these ids say of one part of a profile."""
    found = {check.id: check for check in checks}
    verdicts = {id: found[id].verdict if id in found else None for id in ids}
    gaps = {id: Verdict.SKIP for id in ids if id in found and found[id].is_absent}
    waived = tuple(id for id in ids if id in found and found[id].waived)
    statistics = {verdict.value: 0 for verdict in Verdict} | {NOT_RUN: 0}
    for verdict in verdicts.values():
        statistics[verdict.value if verdict else NOT_RUN] += 1

    def with_verdict(wanted: Verdict | None) -> tuple[str, ...]:
        return tuple(id for id, verdict in verdicts.items() if verdict is wanted)

    return ClaimedPart(
        result=result_of(kind, {**verdicts, **gaps}, waived),
        statistics=statistics,
        failed=with_verdict(Verdict.FAIL),
        inconclusive=with_verdict(Verdict.INCONCLUSIVE),
        not_judged=with_verdict(Verdict.NOT_JUDGED),
        skipped=with_verdict(Verdict.SKIP),
        not_run=with_verdict(None),
        waived=waived,
        checks=tuple(ids),
    )


def part_of(claim: Claim, kind: Part) -> ClaimedPart | None:
    """Return one part of a claim, None when it has none."""
    return claim.core if kind is Part.CORE else claim.extended
