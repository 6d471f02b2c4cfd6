"""The report: records of items folded into checks, beside facts of the cluster and the run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_ipv6k8s.profiles import is_demanded
from pytest_ipv6k8s.verdicts import Result, Verdict, fold

API_VERSION = "ipv6k8s/v1alpha2"
KIND = "ConformanceReport"
_OF_THE_RUN = ("check", "cells")


@dataclass(frozen=True, slots=True, kw_only=True)
class HarnessFact:
    """A fact about the run itself (META): whether it holds, and what was seen."""

    id: str
    title: str
    holds: bool
    seen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that a run found out.

    Attributes:
        date: when the run ended, RFC 3339.
        suite: name and version of the suite, and the revision of its catalogue.
        implementation: who publishes the report, and about what.
        profiles: what was claimed, and what the checks say of it; see ``claims``.
        features: the preconditions that were met, and those that were not.
        cluster: facts of the cluster, as plain data.
        connectivity: which node's pods reach which node's; see ``matrix``.
        settings: each option that was set, with its source.
        reproduce: how to run the same again: command, versions, images.
        waivers: red verdicts that are accepted, by id, with the reason.
        checks: one mapping for each check, by id; see ``schema.json``.
        cost: API requests, exec sessions and probe pods of the run.
        harness: the facts about the run.
        complete: whether the run came to its end.
    """

    date: str
    suite: Mapping[str, str]
    implementation: Mapping[str, str]
    profiles: tuple[Mapping[str, Any], ...]
    features: Mapping[str, list[str]]
    cluster: Mapping[str, Any]
    connectivity: Mapping[str, Any]
    settings: Mapping[str, Any]
    reproduce: Mapping[str, Any]
    waivers: Mapping[str, str]
    checks: tuple[Mapping[str, Any], ...]
    cost: Mapping[str, int]
    harness: tuple[HarnessFact, ...]
    complete: bool

    @property
    def result(self) -> str:
        """What the run says of the cluster; see :func:`result_of`."""
        broken = not all(fact.holds for fact in self.harness)
        asked = asked_profiles(self.settings)
        return result_of(self.checks, broken=broken, complete=self.complete, asked=asked)

    def plain(self) -> dict[str, Any]:
        """Return the document, in the order in which people want to read it."""
        verdicts = {check["id"]: check["verdict"] for check in self.checks}
        return {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "date": self.date,
            "suite": dict(self.suite),
            "implementation": dict(self.implementation),
            "result": self.result,
            "complete": self.complete,
            "redacted": False,
            "summary": count(self.checks),
            "areas": areas(self.checks),
            "profiles": [dict(profile) for profile in self.profiles],
            "features": dict(self.features),
            "cluster": dict(self.cluster),
            "connectivity": dict(self.connectivity),
            "settings": dict(self.settings),
            "reproduce": dict(self.reproduce),
            "waivers": [
                {"id": id, "reason": reason, "verdict": verdicts.get(id, "")}
                for id, reason in sorted(self.waivers.items())
            ],
            "cost": dict(self.cost),
            "checks": [dict(check) for check in self.checks],
            "harness": [
                {"id": fact.id, "title": fact.title, "holds": fact.holds, "seen": fact.seen}
                for fact in sorted(self.harness, key=lambda fact: fact.id)
            ],
        }


def result_of(
    checks: Iterable[Mapping[str, Any]], *, broken: bool, complete: bool, asked: Collection[str]
) -> str:
    """Return what checks say of a cluster.

    ``failure`` with a failed check that nobody waived, or a broken harness; ``partial`` with a red
    check that is waived, one that is inconclusive, a core check that was skipped, or a run cut
    short.

    Args:
        checks: as in the document.
        broken: whether a fact about the run itself does not hold.
        complete: whether the run came to its end.
        asked: the profiles that were asked for.
    """
    checks = tuple(checks)
    red = [check for check in checks if Verdict(check["verdict"]).is_red]
    if broken or any(c["verdict"] == "fail" and "waived" not in c for c in red):
        return Result.FAILURE.value
    gap = not complete or bool(red) or skipped_core(checks, asked)
    return Result.PARTIAL.value if gap else Result.SUCCESS.value


def skipped_core(checks: Iterable[Mapping[str, Any]], asked: Collection[str]) -> bool:
    """Tell whether a core check was skipped that every cluster is asked for, or this one was."""
    return any(
        check["verdict"] == "skip"
        and check["level"] == "core"
        and is_demanded(check["id"].split("-")[0], asked)
        for check in checks
    )


def asked_profiles(settings: Mapping[str, Any]) -> list[str]:
    """Return the profiles that were asked for, from the settings of a document."""
    return str(settings.get("profile", {}).get("value", "")).split(",")


def count(checks: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many checks got which verdict."""
    counts = {verdict.value: 0 for verdict in Verdict}
    for check in checks:
        counts[check["verdict"]] += 1
    return counts


def areas(checks: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Return the same for each area, sorted."""
    by_area: dict[str, list[Mapping[str, Any]]] = {}
    for check in checks:
        by_area.setdefault(check["id"].split("-")[0], []).append(check)
    return {area: count(by_area[area]) for area in sorted(by_area)}


def fold_records(
    records: Iterable[Mapping[str, Any]], waivers: Mapping[str, str]
) -> tuple[Mapping[str, Any], ...]:
    """Return one mapping for each check from the records of its items, sorted by id.

    Args:
        records: what the plugin made of each item.
        waivers: by id, the reasons why a red verdict is accepted.
    """
    by_id: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        by_id.setdefault(record["check"]["id"], []).append(record)
    return tuple(_folded(id, by_id[id], waivers) for id in sorted(by_id))


def _folded(
    id: str, records: list[Mapping[str, Any]], waivers: Mapping[str, str]
) -> Mapping[str, Any]:
    verdict = fold(Verdict(record["verdict"]) for record in records)
    ordered = sorted(records, key=lambda record: record["family"])
    reasons = dict.fromkeys(
        record["reason"] for record in ordered if record["verdict"] == verdict.value
    )
    folded: dict[str, Any] = {
        **records[0]["check"],
        "verdict": verdict.value,
        "reason": "; ".join(filter(None, reasons)),
        "items": [
            {key: value for key, value in record.items() if key not in _OF_THE_RUN}
            for record in ordered
        ],
    }
    if id in waivers and verdict.is_red:
        folded["waived"] = waivers[id]
    return folded
