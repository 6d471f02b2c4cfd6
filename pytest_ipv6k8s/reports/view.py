"""A report as formats for people want it: sorted, grouped and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from pytest_ipv6k8s.addresses import names
from pytest_ipv6k8s.errors import by_reason
from pytest_ipv6k8s.reports.matrix import MISSED, REACHED, UNASKED
from pytest_ipv6k8s.reports.model import CheckResult, ClaimedPart, Cluster, Counts, Report
from pytest_ipv6k8s.results import Failure, item_name
from pytest_ipv6k8s.verdicts import Verdict, fold

NO_FAMILY = "not by family"
SIGNS = {REACHED: "reached", MISSED: "not reached", UNASKED: "not asked"}


def with_verdict(report: Report, verdict: Verdict) -> list[CheckResult]:
    """Return the checks with a verdict, those that nobody waived first."""
    found = [check for check in report.checks if check.verdict is verdict]
    return sorted(found, key=lambda check: bool(check.waived))


def with_item(report: Report, verdict: Verdict) -> list[CheckResult]:
    """Return the checks of which a family has a verdict, those that nobody waived first."""
    found = [c for c in report.checks if any(item.verdict is verdict for item in c.items)]
    return sorted(found, key=lambda check: bool(check.waived))


def inconclusive(report: Report) -> dict[str, list[str]]:
    """Return what is inconclusive, by reason: checks, and families beside others that failed."""
    found: dict[str, list[str]] = {}
    for check in with_item(report, Verdict.INCONCLUSIVE):
        if check.verdict is Verdict.INCONCLUSIVE:
            found.setdefault(check.reason, []).append(check.id)
            continue
        for item in check.items:
            if item.verdict is Verdict.INCONCLUSIVE:
                found.setdefault(item.reason, []).append(item_name(check, item))
    return found


def deaths(failure: Failure) -> list[str]:
    """Return where packets died, each place once."""
    return list(dict.fromkeys(trace.died for trace in failure.traces))


def passed(part: ClaimedPart) -> str:
    """Return how many of a profile part's checks pass; what the stack rules out does not count."""
    ruled_out = part.statistics[Verdict.NOT_APPLICABLE.value]
    return f"{part.statistics[Verdict.PASS.value]} of {len(part.checks) - ruled_out}"


def gaps(part: ClaimedPart) -> list[tuple[str, tuple[str, ...]]]:
    """Return what keeps a profile part from being whole: a word, and the ids of checks."""
    found = (
        ("failed", part.failed),
        ("inconclusive", part.inconclusive),
        ("not judged", part.not_judged),
        ("waived", part.waived),
        ("skipped", part.skipped),
        ("not run", part.not_run),
    )
    return [(word, ids) for word, ids in found if ids]


def not_judged(report: Report) -> dict[str, list[str]]:
    """Return the ids of checks that were not judged, by what they rest on."""
    return _ids(with_verdict(report, Verdict.NOT_JUDGED), lambda check: ", ".join(check.rests_on))


def skipped(report: Report) -> dict[str, list[str]]:
    """Return the ids of skipped checks by reason, sorted."""
    return dict(
        sorted(_ids(with_verdict(report, Verdict.SKIP), lambda check: check.reason).items())
    )


def _ids(checks: Iterable[CheckResult], key: Callable[[CheckResult], str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for check in checks:
        found.setdefault(key(check), []).append(check.id)
    return found


def identity(report: Report) -> str:
    """Return what was tested, and by whom, in one line; empty when nobody says."""
    facts = report.implementation
    name = " ".join(filter(None, (facts.project, facts.version)))
    return ", ".join(filter(None, (name, facts.organization)))


def environment(report: Report) -> list[tuple[str, str]]:
    """Return the facts of the cluster as pairs of name and value."""
    cluster = report.cluster
    where = [("context", cluster.context), ("server", cluster.server)]
    return [
        *((name, value) for name, value in where if value),
        ("Kubernetes", cluster.kubernetes),
        ("stack", cluster.stack.value),
        *_families(cluster),
        ("CNI", _with_version(cluster.cni, cluster.cni_version)),
        ("proxy", cluster.proxy),
        ("provider", cluster.provider),
        ("probes", probed(report)),
        ("kernel", _different(node.kernel for node in cluster.nodes)),
        ("runtime", _different(node.runtime for node in cluster.nodes)),
        ("kubelet", _different(node.kubelet for node in cluster.nodes)),
    ]


def _families(cluster: Cluster) -> list[tuple[str, str]]:
    """Return the families of each part where these have not the same."""
    if len({frozenset(found) for found in cluster.families.values()}) < 2:
        return []
    parts = [f"{where} {names(found)}" for where, found in cluster.families.items()]
    return [("families", ", ".join(parts))]


def probed(report: Report) -> str:
    """Return how many nodes have a probe, and why others have none."""
    nodes = report.cluster.nodes
    left_out = [(node.name, node.left_out) for node in nodes if node.left_out]
    text = f"on {len(nodes) - len(left_out)} of {len(nodes)} nodes"
    return f"{text}; left out: {by_reason(left_out)}" if left_out else text


def _with_version(name: str, version: str) -> str:
    return name if version == "unknown" else f"{name} {version}"


def _different(values: Iterable[str]) -> str:
    return ", ".join(sorted(set(values)))


def families(report: Report) -> list[str]:
    """Return the families that items have, and at the end that they have none."""
    items = [item for check in report.checks for item in check.items]
    found = {item.family.value if item.family else NO_FAMILY for item in items}
    return sorted(found, key=lambda family: (family == NO_FAMILY, family))


def by_area(report: Report) -> dict[str, dict[str, Counts]]:
    """Return for each area and family how many items came to which verdict, worst first."""
    table: dict[str, dict[str, dict[Verdict, int]]] = {}
    for check in report.checks:
        row = table.setdefault(check.area, {})
        for item in check.items:
            counts = row.setdefault(item.family.value if item.family else NO_FAMILY, {})
            counts[item.verdict] = counts.get(item.verdict, 0) + 1
    return {
        area: {
            family: {verdict: counts[verdict] for verdict in Verdict if verdict in counts}
            for family, counts in row.items()
        }
        for area, row in table.items()
    }


def worst(counts: Mapping[Verdict, int]) -> Verdict:
    """Return the verdict that a group of items folds to."""
    return fold(counts)


def paths(report: Report) -> list[tuple[str, list[tuple[str, dict[str, str]]]]]:
    """Return the connectivity matrix: for each source node its destinations, and for each of
    these what happened in which family."""
    nodes, lines = report.connectivity.nodes, report.connectivity.families
    return [
        (
            source,
            [
                (
                    target,
                    {family.value: SIGNS[signs[row][column]] for family, signs in lines.items()},
                )
                for column, target in enumerate(nodes)
            ],
        )
        for row, source in enumerate(nodes)
    ]


def paths_beside(failure: Failure) -> tuple[str, ...]:
    """Return the paths of a failure that its findings do not name already."""
    return tuple(
        path for path in failure.paths if not any(path in actual for actual in failure.actual)
    )
