"""Where packets died: the first failing paths of a run, asked again before it cleans up."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from typing import Any

from pytest_ipv6k8s.addresses import is_address
from pytest_ipv6k8s.diagnosis.places import Place, place_of
from pytest_ipv6k8s.diagnosis.tracing import again, end_of, trace
from pytest_ipv6k8s.diagnosis.watchers import watchers
from pytest_ipv6k8s.errors import Inconclusive, Ipv6k8sError
from pytest_ipv6k8s.kube.client import Api
from pytest_ipv6k8s.kube.config import Kubeconfig
from pytest_ipv6k8s.plugin.looking import ON_NODE, runnable
from pytest_ipv6k8s.plugin.run_facts import RunFacts
from pytest_ipv6k8s.probe.session import Sessions
from pytest_ipv6k8s.results import Evidence, ItemResult, Trace
from pytest_ipv6k8s.settings import Allow, Settings
from pytest_ipv6k8s.timeouts import Timeouts
from pytest_ipv6k8s.verdicts import Verdict
from pytest_ipv6k8s.words import counted

MOST_PATHS, SECONDS = 5, 15.0
"""So many paths are asked again, and so long: none is begun after that."""


def located(
    results: Sequence[ItemResult],
    facts: RunFacts,
    settings: Settings,
    timeouts: Timeouts,
    tell: Callable[[str], None],
) -> list[ItemResult]:
    """Return the results, with traces where a failed path was asked again.

    Nothing is done where no privileged pod is allowed, and no trouble changes a verdict.

    Args:
        results: of all items.
        facts: what stands on the cluster.
        settings: of the run.
        timeouts: of all that is waited for.
        tell: called with one line for each step.
    """
    paths = _paths(results, facts)
    if not paths or not (facts.owned or Allow.PRIVILEGED in settings.probes.allow):
        return list(results)
    tell(f"asking again, while nodes are watched: {counted(len(paths), 'failed path')}")
    found: dict[int, list[Trace]] = {}
    try:
        for number, traced in _traced(paths, facts, settings, timeouts):
            found.setdefault(number, []).append(traced)
    except (Ipv6k8sError, Inconclusive) as trouble:
        tell(f"failed paths were not traced: {trouble}")
    return [
        _with(result, tuple(found.get(number, ())), settings)
        for number, result in enumerate(results)
    ]


def _with(result: ItemResult, traces: tuple[Trace, ...], settings: Settings) -> ItemResult:
    """Return a result with its traces; what these say to look at and to change leads."""
    failure, cluster = result.outcome.failure, settings.cluster
    if failure is None or not traces:
        return result
    shown = next((trace for trace in traces if trace.look), None)
    look = failure.look
    if shown is not None:
        way = {"context": cluster.context or "", "kubeconfig": str(cluster.kubeconfig or "")}
        look = runnable(shown.look + ON_NODE, node=shown.node, **way)
    fixes = dict.fromkeys(f"node {trace.node}: {trace.fix}" for trace in traces if trace.fix)
    told = dataclasses.replace(failure, traces=traces, look=look, fixes=(*fixes, *failure.fixes))
    return dataclasses.replace(result, outcome=dataclasses.replace(result.outcome, failure=told))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Path:
    """A question that failed a result: its number, whose answer it was, and what is asked again."""

    number: int
    source: str
    request: Any
    address: str


def _paths(results: Sequence[ItemResult], facts: RunFacts) -> list[_Path]:
    """Return the first failing path of each failed result, then the second ones; none twice."""
    ours = {pod.name for pod in facts.everyone}
    found: dict[tuple[str, Any], _Path] = {}
    failed = [(n, r) for n, r in enumerate(results) if r.outcome.verdict is Verdict.FAIL]
    for turn in range(2):
        for number, result in failed:
            for one in result.failed[turn : turn + 1]:
                path = _path(number, one)
                if path is not None and one.source in ours:
                    found.setdefault((path.source, path.request), path)
    return list(found.values())[:MOST_PATHS]


def _path(number: int, failed: Evidence) -> _Path | None:
    request = again(failed.request)
    address = end_of(request)[0] if request is not None else ""
    if not is_address(address):
        return None
    return _Path(number=number, source=failed.source, request=request, address=address)


def _traced(
    paths: Sequence[_Path], facts: RunFacts, settings: Settings, timeouts: Timeouts
) -> Iterator[tuple[int, Trace]]:
    """Yield traces, each with the number of its result, as long as there is time."""
    until = time.monotonic() + SECONDS
    api = Api(Kubeconfig(path=facts.kubeconfig, context=facts.context), timeouts=timeouts)
    pods = {pod.name: pod for pod in facts.everyone}
    known = {
        ip: Place(name=f"pod {pod.name}", nodes=(pod.node,))
        for pod in facts.everyone
        if not pod.host_network
        for ip in pod.ips
    }
    nodes = facts.inventory.nodes
    places = {path.address: place_of(api, path.address, nodes, known) for path in paths}
    names = [
        name for path in paths for name in (pods[path.source].node, *places[path.address].nodes)
    ]
    plan = dataclasses.replace(facts.plan(settings), given=settings.probes.namespace)
    with closing(Sessions(api)) as sessions, watchers(api, plan, nodes, names) as watching:
        for path in paths:
            if time.monotonic() > until:
                return
            probe = sessions.probe(pods[path.source])
            with suppress(Ipv6k8sError):
                place = places[path.address]
                yield path.number, trace(probe, path.request, place, watching, nodes)
