"""Whether a report agrees with itself: what it counts, folds, claims and digests is done again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_ipv6k8s.checks import Check
from pytest_ipv6k8s.evidence import digest_of
from pytest_ipv6k8s.profiles import PROFILES, Part
from pytest_ipv6k8s.reports.claims import part
from pytest_ipv6k8s.reports.model import areas, asked_profiles, count, result_of
from pytest_ipv6k8s.verdicts import Verdict, fold

Document = Mapping[str, Any]
_REACHED = {"pass", "fail", "informational"}


def disagreements(document: Document, declared: Mapping[str, Check]) -> list[str]:
    """Return one sentence for everything in a report that does not agree with the rest of it.

    Args:
        document: a report that keeps to the schema.
        declared: the checks of the catalogue that the report names; empty when it names another.
    """
    return [
        *_of_totals(document),
        *_of_checks(document),
        *_of_waivers(document),
        *_of_profiles(document, declared),
        *_of_catalogue(document, declared),
        *_of_connectivity(document),
    ]


def _of_totals(document: Document) -> Iterator[str]:
    checks = document["checks"]
    ids = [check["id"] for check in checks]
    if ids != sorted(set(ids)):
        yield "checks: ids are not sorted, or one is there twice"
    if document["summary"] != count(checks):
        yield f"summary: the checks are {_counted(count(checks))}"
    for area, counted in areas(checks).items():
        if document["areas"].get(area) != counted:
            yield f"areas: the checks of {area} are {_counted(counted)}"
    for area in sorted(set(document["areas"]) - set(areas(checks))):
        yield f"areas: there is no check of {area}"
    broken = not all(fact["holds"] for fact in document["harness"])
    asked = asked_profiles(document["settings"])
    result = result_of(checks, broken=broken, complete=document["complete"], asked=asked)
    if document["result"] != result:
        yield f"result: it says {document['result']}, and the checks say {result}"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {verdict}" for verdict, number in counts.items() if number)


def _of_checks(document: Document) -> Iterator[str]:
    for check in document["checks"]:
        folded = fold(Verdict(item["verdict"]) for item in check["items"])
        if check["verdict"] != folded.value:
            yield f"{check['id']}: it says {check['verdict']}, and its items say {folded.value}"
        for item in check["items"]:
            name = " ".join(filter(None, (check["id"], item["family"])))
            for problem in _of_item(item, redacted=document["redacted"]):
                yield f"{name}: {problem}"


def _of_item(item: Mapping[str, Any], *, redacted: bool) -> Iterator[str]:
    kept, answers = len(item["evidence"]), item["answers"]
    if item["verdict"] in _REACHED and not answers:
        yield f"{item['verdict']} rests on no answer"
    if (item["verdict"] == "fail") != ("failure" in item):
        yield "only what failed has a failure, and it has one"
    if kept > answers:
        yield f"there is evidence of {kept} answers, and there were {answers}"
    whole = redacted or kept == answers
    if whole and item["digest"] != digest_of(item["evidence"]):
        yield "the digest is not that of the evidence"


def _of_waivers(document: Document) -> Iterator[str]:
    verdicts = {check["id"]: check["verdict"] for check in document["checks"]}
    reasons = {waiver["id"]: waiver["reason"] for waiver in document["waivers"]}
    for waiver in document["waivers"]:
        if waiver["verdict"] != verdicts.get(waiver["id"], ""):
            yield f"waivers: {waiver['id']} came to {verdicts.get(waiver['id'], 'nothing')}"
    for check in document["checks"]:
        waived = reasons.get(check["id"]) if Verdict(check["verdict"]).is_red else None
        if check.get("waived") != waived:
            yield f"{check['id']}: what it says of a waiver is not what the waivers say"


def _of_profiles(document: Document, declared: Mapping[str, Check]) -> Iterator[str]:
    for claim in document["profiles"]:
        name = claim["name"]
        if declared and name not in PROFILES:
            yield f"profiles: there is no profile {name}"
            continue
        for kind in Part:
            said = claim.get(kind.value)
            where = f"profiles: the {kind.value} part of {name}"
            if declared and _ids(said) != PROFILES[name].members(declared.values(), kind):
                yield f"{where} does not have the checks of the profile"
            if said is not None and said != part(kind, said["checks"], document["checks"]):
                again = part(kind, said["checks"], document["checks"])
                wrong = [key for key in again if said[key] != again[key]]
                yield f"{where} is wrong in {', '.join(wrong)}: its checks say {again['result']}"


def _ids(said: Mapping[str, Any] | None) -> list[str]:
    return list(said["checks"]) if said else []


def _of_catalogue(document: Document, declared: Mapping[str, Check]) -> Iterator[str]:
    for check in document["checks"]:
        known = declared.get(check["id"])
        if known is None:
            continue
        facts = {
            "requirement": known.requirement,
            "level": known.level.value,
            "references": list(known.references),
        }
        for name, value in facts.items():
            if check[name] != value:
                yield f"{check['id']}: its {name} is not that of the catalogue"


def _of_connectivity(document: Document) -> Iterator[str]:
    nodes = len(document["connectivity"]["nodes"])
    for family, lines in document["connectivity"]["families"].items():
        if [len(line) for line in lines] != [nodes] * nodes:
            yield f"connectivity: {family} has not one sign for each pair of nodes"


def remarks(document: Document, *, version: str, catalogue: str) -> list[str]:
    """Return what a reader has to know of a report, though nothing is wrong with it.

    Args:
        document: a report that keeps to the schema.
        version: that of this suite.
        catalogue: the revision of its catalogue.
    """
    suite = document["suite"]
    told = []
    if suite["version"] != version:
        told.append(f"version {suite['version']} of the suite wrote it, and this is {version}")
    if suite["catalogue"] != catalogue:
        told.append("its catalogue is another one: requirements and profiles are not compared")
    if document["redacted"]:
        told.append("it has pseudonyms: its digests are of the evidence that is left")
    for claim in document["profiles"]:
        missing = sum(len(claim[kind.value]["notRun"]) for kind in Part if kind.value in claim)
        if missing:
            told.append(f"profile {claim['name']} has {missing} checks that did not run")
    if not document["implementation"]:
        told.append("it does not say who publishes it (--ipv6k8s-implementation)")
    return told
