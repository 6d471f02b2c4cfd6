"""Paths between pods: who has to answer, and whom the other end has to see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pytest_ipv6k8s.addresses import Family, same_address
from pytest_ipv6k8s.errors import Inconclusive
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.expectations import expect_all, remark, settle
from pytest_ipv6k8s.probe.probes import Probe, Probes
from pytest_ipv6k8s.suite.rates import TRIES, expect_rates, rates_of

NODE_LOCAL_EGRESS = ("169.254.172.0/22", "fd00::ac:0/118")
"""For egress in the other family that never leaves the node, as EKS gives it to pods.

ENABLE_V4_EGRESS and ENABLE_V6_EGRESS in the README of aws/amazon-vpc-cni-k8s.
"""

ONE_SYN, THREE_SYNS, PATIENT = 1.0, 3.5, 8.0
"""Seconds for a connection: SYNs leave at 0, 1, 3 and 7 s (RFC 6298), and one is enough."""
PATHS_STAND, SERVICES_STAND = 8.0, 30.0
"""Seconds that a cluster may need for the paths to pods that are ready (ours), and for Services.

NetworkProgrammingLatency in kubernetes/perf-tests: 30 s; kube-proxy tries again after as long.
"""

T = TypeVar("T")
Condition = Callable[[Record[Any]], bool]


def echoed_by(probe: Probe) -> Condition:
    """Return the condition that a certain pod echoed."""
    return lambda record: bool(record.answer.echoed) and record.answer.pod == probe.name


def echoed_by_owner(probes: Probes) -> Condition:
    """Return the condition that the pod echoed whose address was asked."""
    return lambda record: echoed_by(probes.owner(record.request["address"]))(record)


def seen_as_itself(probes: Probes, family: Family) -> Condition:
    """Return the condition that the other end saw the asking pod's own address."""
    return lambda record: same_address(
        record.answer.seen_source, probes.named(record.source).address(family)
    )


def way_of(record: Record[Any]) -> tuple[str, str]:
    """Return who asked whom."""
    return record.source, record.request["address"]


def await_services(
    probes: Probes, ask: Callable[[], Sequence[T]], condition: Callable[[T], object]
) -> None:
    """Wait until our Services work, see :func:`settle`; no longer than a cluster may need."""
    settle(
        ask,
        condition,
        after="our Services were made",
        timeout=SERVICES_STAND,
        since=probes.ready_at,
    )


def expect_every_try(
    ask: Callable[[int, float], Sequence[Record[Any]]],
    condition: Condition,
    *,
    expected: str,
    ready_at: float,
    timeout: float = SERVICES_STAND,
    on_failure: Callable[[Sequence[Record[Any]]], None] = lambda failed: None,
) -> None:
    """Wait once until rules for pods and Services of ours are loaded; then judge first tries.

    Where none of ten is answered, with three SYNs each, a path is dead. Where some are, it loses
    packets: ten others are judged, with four SYNs each.

    Args:
        ask: asks each path so many times, and waits so many seconds for each answer.
        condition: tells whether one answer is what is expected.
        expected: what should be found, as a phrase.
        ready_at: see :class:`Probes`.
        timeout: seconds from then on in which rules have to be loaded.
        on_failure: gets the tries that failed, before they are judged, to tell more of them.

    Raises:
        Unmet: some of ten tries on each path failed; all of them count.
    """
    made = "our pods and Services were made"
    settle(lambda: ask(1, ONE_SYN), condition, after=made, timeout=timeout, since=ready_at)
    records = _ten_tries(ask, condition)
    failed = [record for record in records if not condition(record)]
    if failed:
        on_failure(failed)
    good = len(records) - len(failed)
    remark(f"{good} of {len(records)} connections at the first try")
    expect_rates(records, condition, way=way_of, expected=expected, say=str, least=TRIES)


def _ten_tries(
    ask: Callable[[int, float], Sequence[Record[Any]]], condition: Condition
) -> Sequence[Record[Any]]:
    records = ask(TRIES, THREE_SYNS)
    lossy = (rate for rate in rates_of(records, condition, way_of) if rate.good and rate.failed)
    unexplained = any(not record.mark.doubted for rate in lossy for record in rate.failed)
    return ask(TRIES, PATIENT) if unexplained else records


def expect_untranslated(records: Sequence[Record[Any]], probes: Probes, family: Family) -> None:
    """Expect that the other end saw the asking pod's own address, wherever it was reached.

    Raises:
        Unmet: it saw another one.
        Inconclusive: some paths carry nothing, so that there was nothing to be seen.
    """
    reached = [record for record in records if record.answer.seen_source]
    expect_all(
        reached, seen_as_itself(probes, family), expected="the asking pod's own address as source"
    )
    unreached = [record for record in records if not record.answer.seen_source]
    if unreached:
        count = f"{len(unreached)} of {len(records)} paths carry nothing"
        raise Inconclusive(f"{count}, so what is seen there is not known: {unreached[0]}")
