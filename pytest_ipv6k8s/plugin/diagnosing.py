"""A failure in words: what the API says of its places, and what to change in this cluster."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from pytest_ipv6k8s.causes import Seen, likely
from pytest_ipv6k8s.checks import Check
from pytest_ipv6k8s.errors import Ipv6k8sError
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.expectations import Unmet
from pytest_ipv6k8s.fixes import Fix, fixes_for
from pytest_ipv6k8s.masking import redact, redact_text
from pytest_ipv6k8s.plugin.looking import manifest, runnable
from pytest_ipv6k8s.plugin.state import API, FACTS, SETTINGS, WHERE
from pytest_ipv6k8s.resting import place_of
from pytest_ipv6k8s.results import Failure

_MOST_FIXES = 3


def failure(
    item: pytest.Item,
    declared: Check,
    error: BaseException | None,
    records: Iterable[Record[Any]],
    remarks: Sequence[str] = (),
) -> Failure:
    """Return why a check failed. Whatever cannot be read of the cluster is left out.

    Args:
        item: of the check.
        declared: the check.
        error: what its body raised.
        records: all that it recorded.
        remarks: what its body told beside the verdict.
    """
    unmet = error if isinstance(error, Unmet) else None
    judged = [record for record in records if record.mark.judged]
    failed = [record for record in judged if record.mark.failed]
    found = _findings(item, failed)
    own = tuple(dict.fromkeys(redact_text(finding.fix) for finding in found if finding.fix))
    facts, actual = tuple(redact_text(f.text) for f in found), _actual(unmet, error)
    seen = Seen(
        failed=failed,
        good=[record for record in judged if not record.mark.failed],
        told=(*facts, *remarks, *actual),
    )
    return Failure(
        expected=unmet.expected if unmet else declared.requirement,
        actual=actual,
        paths=unmet.paths if unmet else (),
        causes=likely(declared.causes, seen),
        look=_look(item, found[0].look if found else declared.look, failed),
        facts=(*facts, *map(redact_text, remarks)),
        fixes=(own or tuple(map(_in_words, _fixes(item, declared))))[:_MOST_FIXES],
    )


def _actual(unmet: Unmet | None, error: BaseException | None) -> tuple[str, ...]:
    return unmet.actual if unmet else (str(redact(str(error))),)


def _findings(item: pytest.Item, failed: list[Record[Any]]) -> tuple[Any, ...]:
    """Return what the API says of the Services that were asked, and of the nodes."""
    from pytest_ipv6k8s.kube.findings import findings, without_route

    api = item.config.stash.get(API, None)
    if api is None or not failed:
        return ()
    where = item.config.stash.get(WHERE, {})
    places = [place_of(record, where) for record in failed]
    asked = (record.request.get(key) for record in failed for key in ("address", "server"))
    unrouted = {r.source for r in failed if getattr(r.answer, "error", "") == "ENETUNREACH"}
    nodes = {node for place in places for node in (place.source, place.destination) if node}
    facts = item.config.stash.get(FACTS, None)
    try:
        of_api = findings(
            api,
            addresses={str(address) for address in asked if address},
            nodes=nodes,
            service_cidrs=facts.inventory.service_cidrs if facts else (),
        )
    except Ipv6k8sError:
        of_api = ()
    pods = facts.everyone if facts and unrouted else ()
    hosts = [pod for pod in pods if pod.host_network and pod.name in unrouted]
    return (*without_route(pod.node for pod in hosts), *of_api)


def _look(item: pytest.Item, look: str, failed: list[Record[Any]]) -> str:
    """Return the command with the node, the address and the cluster that it is about."""
    cluster, nodes = item.config.stash[SETTINGS].cluster, item.config.stash.get(WHERE, {})
    places = (place_of(record, nodes) for record in failed)
    return runnable(
        look,
        node=next((place.source for place in places if place.source), ""),
        context=cluster.context or "",
        kubeconfig=str(cluster.kubeconfig or ""),
        asked=next(filter(None, (manifest(record.request) for record in failed)), ""),
        address=next((str(r.request["address"]) for r in failed if r.request.get("address")), ""),
    )


def _fixes(item: pytest.Item, declared: Check) -> tuple[Fix, ...]:
    facts = item.config.stash.get(FACTS, None)
    if facts is None:
        return ()
    return fixes_for(declared.id, cni=facts.inventory.cni, proxy=facts.inventory.proxy)


def _in_words(fix: Fix) -> str:
    return f"{fix.component.value}: {fix.text}"
