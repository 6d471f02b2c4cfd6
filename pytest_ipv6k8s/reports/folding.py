"""From items to checks, and from checks to what they say together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from pytest_ipv6k8s.checks import Area, Check, Level
from pytest_ipv6k8s.profiles import PROFILES, is_demanded
from pytest_ipv6k8s.reports.model import (
    CheckResult,
    Counts,
    HarnessFact,
    Selection,
    Setting,
    Waived,
)
from pytest_ipv6k8s.results import ItemResult
from pytest_ipv6k8s.verdicts import UNSETTLED, Result, Verdict, fold


def fold_items(
    results: Iterable[ItemResult], waivers: Mapping[str, str]
) -> tuple[CheckResult, ...]:
    """Return what became of each check, in the order in which a person looks for a fault.

    Args:
        results: what became of each item.
        waivers: by id, the reasons why a red verdict is accepted.
    """
    by_id: dict[str, list[ItemResult]] = {}
    for result in results:
        by_id.setdefault(result.check.id, []).append(result)
    return tuple(_folded(by_id[id], waivers.get(id, "")) for id in sorted(by_id, key=place))


def place(id: str) -> tuple[int, str]:
    """Return where a check or an area stands: areas in their order, those of others last."""
    return Area.place(id.partition("-")[0]), id


def _folded(results: list[ItemResult], waiver: str) -> CheckResult:
    check = results[0].check
    items = sorted(
        (result.outcome for result in results),
        key=lambda item: item.family.value if item.family else "",
    )
    verdict = fold(item.verdict for item in items)
    decisive = [item for item in items if item.verdict is verdict]
    return CheckResult(
        id=check.id,
        requirement=check.requirement,
        level=check.level,
        references=check.references,
        verdict=verdict,
        reason="; ".join(filter(None, dict.fromkeys(item.reason for item in decisive))),
        items=tuple(items),
        rests_on=tuple(sorted({id for item in decisive for id in item.rests_on})),
        waived=waiver if verdict.is_red else "",
    )


def waived(checks: Iterable[CheckResult], waivers: Mapping[str, str]) -> tuple[Waived, ...]:
    """Return the waivers, by id, each with what its check came to."""
    verdicts = {check.id: check.verdict for check in checks}
    return tuple(
        Waived(id=id, reason=reason, verdict=verdicts.get(id))
        for id, reason in sorted(waivers.items())
    )


def by_id(harness: Iterable[HarnessFact]) -> tuple[HarnessFact, ...]:
    """Return facts about the run itself, sorted by id."""
    return tuple(sorted(harness, key=lambda fact: fact.id))


def result_of(
    checks: Iterable[CheckResult],
    harness: Iterable[HarnessFact],
    *,
    complete: bool,
    selection: Selection,
    asked: Collection[str],
) -> Result:
    """Return what checks say of a cluster.

    ``failure`` with a failed check that nobody waived, or a broken harness; ``partial`` with a red
    check that is waived, one that is inconclusive or not judged, a core check that was skipped, or
    a run of some checks alone or cut short.

    Args:
        checks: what became of each.
        harness: facts about the run itself.
        complete: whether the run came to its end.
        selection: whether all checks were to run.
        asked: the profiles that were asked for.
    """
    checks = tuple(checks)
    if not all(fact.ok for fact in harness):
        return Result.FAILURE
    if any(check.verdict is Verdict.FAIL and not check.waived for check in checks):
        return Result.FAILURE
    gap = any(check.verdict in UNSETTLED for check in checks)
    gap = gap or not complete or not selection.is_whole
    gap = gap or bool(skipped_core(checks, asked))
    return Result.PARTIAL if gap else Result.SUCCESS


def selection_of(
    ids: Collection[str], declared: Mapping[str, Check], asked: Collection[str], by: str
) -> Selection:
    """Return how many checks ran, of how many.

    Args:
        ids: of the checks that ran.
        declared: every check of the suite, by id.
        asked: the profiles that were asked for.
        by: what chose them, in words.
    """
    profiles = [PROFILES[name] for name in asked]
    members = {
        id
        for id, check in declared.items()
        if not profiles or any(profile.part_of(check) for profile in profiles)
    }
    wanted = members if members & set(ids) else set(ids)  # only checks of somebody else ran
    whole = wanted <= set(ids)
    return Selection(ran=len(wanted & set(ids)), of=len(wanted), by="" if whole else by)


def skipped_core(checks: Iterable[CheckResult], asked: Collection[str]) -> list[str]:
    """Return the core checks that were skipped, and that every cluster, or this one, is asked."""
    return [
        check.id
        for check in checks
        if (check.verdict is Verdict.SKIP or check.is_absent)
        and check.level is Level.CORE
        and is_demanded(check.area, asked)
    ]


def asked_profiles(settings: Mapping[str, Setting]) -> list[str]:
    """Return the profiles that were asked for, from the settings of a report."""
    return settings["profile"].value.split(",") if "profile" in settings else []


def count(checks: Iterable[CheckResult]) -> Counts:
    """Return how many checks came to which verdict."""
    counts = dict.fromkeys(Verdict, 0)
    for check in checks:
        counts[check.verdict] += 1
    return counts


def areas(checks: Iterable[CheckResult]) -> dict[str, Counts]:
    """Return the same for each area, in the order of the areas."""
    by_area: dict[str, list[CheckResult]] = {}
    for check in checks:
        by_area.setdefault(check.area, []).append(check)
    return {area: count(by_area[area]) for area in sorted(by_area, key=place)}
