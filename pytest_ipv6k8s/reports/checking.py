"""Whether a report is consistent: what it counts, folds, claims and digests is done again."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from pytest_ipv6k8s.checks import Check
from pytest_ipv6k8s.evidence import digest_of
from pytest_ipv6k8s.plain import plain
from pytest_ipv6k8s.profiles import PROFILES, Part
from pytest_ipv6k8s.reports.claims import part, part_of
from pytest_ipv6k8s.reports.folding import areas, asked_profiles, count, place, result_of
from pytest_ipv6k8s.reports.model import Claim, Counts, Implementation, Report
from pytest_ipv6k8s.results import Outcome
from pytest_ipv6k8s.verdicts import Verdict, fold
from pytest_ipv6k8s.words import counted


def contradictions(report: Report, declared: Mapping[str, Check]) -> list[str]:
    """Return one sentence for everything in a report that contradicts the rest of it.

    Args:
        report: as it was read from a file.
        declared: the checks of the catalogue that the report names; empty when it names another.
    """
    return [
        *_of_totals(report),
        *_of_checks(report),
        *_of_waivers(report),
        *_of_profiles(report, declared),
        *_of_catalogue(report, declared),
        *_of_connectivity(report),
    ]


def _of_totals(report: Report) -> Iterator[str]:
    ids = [check.id for check in report.checks]
    if ids != sorted(set(ids), key=place):
        yield "checks: ids are not in order, or one is there twice"
    if report.summary != count(report.checks):
        yield f"summary: the checks are {_in_words(count(report.checks))}"
    for area, counts in areas(report.checks).items():
        if report.areas.get(area) != counts:
            yield f"areas: the checks of {area} are {_in_words(counts)}"
    if report.selection.ran > len(report.checks):
        yield f"selection: {counted(len(report.checks), 'check')} ran, not {report.selection.ran}"
    for area in sorted(set(report.areas) - set(areas(report.checks))):
        yield f"areas: there is no check of {area}"
    asked = asked_profiles(report.settings)
    result = result_of(
        report.checks,
        report.harness,
        complete=report.complete,
        selection=report.selection,
        asked=asked,
    )
    if report.result is not result:
        yield f"result: it says {report.result.value}, and the checks say {result.value}"


def _in_words(counts: Counts) -> str:
    return ", ".join(f"{number} {verdict.value}" for verdict, number in counts.items() if number)


def _of_checks(report: Report) -> Iterator[str]:
    for check in report.checks:
        folded, verdict = fold(item.verdict for item in check.items).value, check.verdict.value
        if verdict != folded:
            yield f"{check.id}: it says {verdict}, and its items say {folded}"
        for item in check.items:
            name = f"{check.id} {item.family.value}" if item.family else check.id
            for problem in _of_item(item, redacted=report.redacted):
                yield f"{name}: {problem}"


def _of_item(item: Outcome, *, redacted: bool) -> Iterator[str]:
    kept, answers = len(item.evidence), item.answers
    if item.is_reached and not answers:
        yield f"{item.verdict.value} rests on no answer"
    if (item.verdict is Verdict.FAIL) != (item.failure is not None):
        yield "only what failed has a failure, and it has one"
    if kept > answers:
        yield f"there is evidence of {kept} answers, and there were {answers}"
    whole = redacted or kept == answers
    if whole and item.digest != digest_of(map(plain, item.evidence)):
        yield "the digest is not that of the evidence"


def _of_waivers(report: Report) -> Iterator[str]:
    verdicts = {check.id: check.verdict for check in report.checks}
    reasons = {waiver.id: waiver.reason for waiver in report.waivers}
    for waiver in report.waivers:
        verdict = verdicts.get(waiver.id)
        if waiver.verdict is not verdict:
            yield f"waivers: {waiver.id} came to {verdict.value if verdict else 'nothing'}"
    for check in report.checks:
        if check.waived != (reasons.get(check.id, "") if check.verdict.is_red else ""):
            yield f"{check.id}: what it says of a waiver is not what the waivers say"


def _of_profiles(report: Report, declared: Mapping[str, Check]) -> Iterator[str]:
    for claim in report.profiles:
        if declared and claim.name not in PROFILES:
            yield f"profiles: there is no profile {claim.name}"
            continue
        for kind in Part:
            yield from _of_part(report, claim, kind, declared)


def _of_part(
    report: Report, claim: Claim, kind: Part, declared: Mapping[str, Check]
) -> Iterator[str]:
    claimed = part_of(claim, kind)
    where = f"profiles: the {kind.value} part of {claim.name}"
    if declared:
        members = PROFILES[claim.name].members(declared.values(), kind)
        if members != (list(claimed.checks) if claimed else []):
            yield f"{where} does not have the checks of the profile"
    if claimed is None:
        return
    again = part(kind, claimed.checks, report.checks)
    wrong = [
        field.name
        for field in dataclasses.fields(again)
        if getattr(claimed, field.name) != getattr(again, field.name)
    ]
    if wrong:
        yield f"{where} is wrong in {', '.join(wrong)}: its checks say {again.result.value}"


def _of_catalogue(report: Report, declared: Mapping[str, Check]) -> Iterator[str]:
    for check in report.checks:
        known = declared.get(check.id)
        for name in ("requirement", "level", "references"):
            if known is not None and getattr(check, name) != getattr(known, name):
                yield f"{check.id}: its {name} is not that of the catalogue"


def _of_connectivity(report: Report) -> Iterator[str]:
    nodes = len(report.connectivity.nodes)
    for family, lines in report.connectivity.families.items():
        if [len(line) for line in lines] != [nodes] * nodes:
            yield f"connectivity: {family.value} has not one sign for each pair of nodes"


def unpublishable(report: Report) -> list[str]:
    """Return why a report may not be published as what the suite says of a product."""
    facts = report.implementation
    missing = [name for name in ("organization", "project", "version") if not getattr(facts, name)]
    found = []
    if not report.complete:
        found.append("the run did not come to its end")
    if not report.selection.is_whole:
        found.append(f"only {report.selection}")
    if missing:
        names = ", ".join(missing)
        found.append(f"it does not say {names} (--ipv6k8s-implementation {missing[0]}=…)")
    return found


def remarks(report: Report, *, version: str, catalogue: str, publish: bool = False) -> list[str]:
    """Return what a reader has to know of a report, though nothing is wrong with it.

    Args:
        report: as it was read from a file.
        version: that of this suite.
        catalogue: the revision of its catalogue.
        publish: leave out what :func:`unpublishable` says.
    """
    suite, found = report.suite, []
    if suite.version != version:
        found.append(f"version {suite.version} of the suite wrote it, and this is {version}")
    if suite.catalogue != catalogue:
        found.append("its catalogue is another one: requirements and profiles are not compared")
    if not (publish or report.selection.is_whole):
        found.append(f"{report.selection}: it does not speak for the whole suite")
    if report.redacted:
        found.append("it has pseudonyms: its digests are of the evidence that is left")
    for claim in report.profiles:
        parts = filter(None, (claim.core, claim.extended))
        missing = sum(len(claimed.not_run) for claimed in parts)
        if missing:
            found.append(f"profile {claim.name} has {counted(missing, 'check')} that did not run")
    if report.implementation == Implementation() and not publish:
        found.append("it does not say who publishes it (--ipv6k8s-implementation)")
    return found
