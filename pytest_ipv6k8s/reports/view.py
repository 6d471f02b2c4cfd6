"""A report's document as formats for people want it: sorted, grouped and counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pytest_ipv6k8s.reports.matrix import MISSED, REACHED, UNASKED
from pytest_ipv6k8s.verdicts import Verdict, fold

Check = Mapping[str, Any]
VERDICTS = tuple(verdict.value for verdict in Verdict)
NO_FAMILY = "no family"
SIGNS = {REACHED: "reached", MISSED: "not reached", UNASKED: "not asked"}


def with_verdict(document: Mapping[str, Any], verdict: str) -> list[Check]:
    """Return the checks with a verdict, those that nobody waived first."""
    found = [check for check in document["checks"] if check["verdict"] == verdict]
    return sorted(found, key=lambda check: "waived" in check)


def passed(part: Mapping[str, Any]) -> str:
    """Return how many of a profile part's checks pass; what the stack rules out does not count."""
    ruled_out = part["statistics"][Verdict.NOT_APPLICABLE.value]
    return f"{part['statistics']['pass']} of {len(part['checks']) - ruled_out}"


def skipped(document: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the ids of skipped checks by reason."""
    by_reason: dict[str, list[str]] = {}
    for check in with_verdict(document, Verdict.SKIP.value):
        by_reason.setdefault(check["reason"], []).append(check["id"])
    return dict(sorted(by_reason.items()))


def identity(document: Mapping[str, Any]) -> str:
    """Return what was tested, and by whom, in one line; empty when nobody says."""
    facts = document["implementation"]
    name = " ".join(filter(None, (facts.get("project"), facts.get("version"))))
    return ", ".join(filter(None, (name, facts.get("organization"))))


def environment(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the facts of the cluster as pairs of name and value."""
    cluster = document["cluster"]
    nodes = cluster["nodes"]
    return [
        ("Kubernetes", cluster["kubernetes"]),
        ("stack", cluster["stack"]),
        ("CNI", _with_version(cluster["cni"], cluster["cniVersion"])),
        ("proxy", cluster["proxy"]),
        ("provider", cluster["provider"]),
        ("nodes", str(len(nodes))),
        ("kernel", _different(node["kernel"] for node in nodes)),
        ("runtime", _different(node["runtime"] for node in nodes)),
        ("kubelet", _different(node["kubelet"] for node in nodes)),
    ]


def _with_version(name: str, version: str) -> str:
    return name if version == "unknown" else f"{name} {version}"


def _different(values: Iterable[str]) -> str:
    return ", ".join(sorted(set(values)))


def families(document: Mapping[str, Any]) -> list[str]:
    """Return the families that items have, and at the end that they have none."""
    found = {item["family"] or NO_FAMILY for check in document["checks"] for item in check["items"]}
    return sorted(found, key=lambda family: (family == NO_FAMILY, family))


def by_area(document: Mapping[str, Any]) -> dict[str, dict[str, Mapping[str, int]]]:
    """Return for each area and family how many items came to which verdict, worst first."""
    table: dict[str, dict[str, dict[str, int]]] = {}
    for check in document["checks"]:
        row = table.setdefault(check["id"].split("-")[0], {})
        for item in check["items"]:
            counts = row.setdefault(item["family"] or NO_FAMILY, {})
            counts[item["verdict"]] = counts.get(item["verdict"], 0) + 1
    return {
        area: {
            family: {verdict: counts[verdict] for verdict in VERDICTS if verdict in counts}
            for family, counts in row.items()
        }
        for area, row in sorted(table.items())
    }


def worst(counts: Mapping[str, int]) -> str:
    """Return the verdict that a group of items folds to."""
    return fold(Verdict(verdict) for verdict in counts).value


def paths(document: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, dict[str, str]]]]]:
    """Return the connectivity matrix: for each source node its destinations, and for each of
    these what happened in which family."""
    nodes, lines = document["connectivity"]["nodes"], document["connectivity"]["families"]
    return [
        (
            source,
            [
                (target, {family: SIGNS[signs[row][column]] for family, signs in lines.items()})
                for column, target in enumerate(nodes)
            ],
        )
        for row, source in enumerate(nodes)
    ]
