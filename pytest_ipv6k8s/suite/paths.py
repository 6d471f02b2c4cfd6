"""Paths between pods: who has to answer, and whom the other end has to see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pytest_ipv6k8s.addresses import Family, same_address
from pytest_ipv6k8s.agent.ops import udp_exchange
from pytest_ipv6k8s.errors import Inconclusive
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.expectations import expect_all, remark, settle
from pytest_ipv6k8s.probe.probes import Probe, Probes
from pytest_ipv6k8s.suite.rates import LEAST, TRIES, expect_rates

NODE_LOCAL_EGRESS = ("169.254.172.0/22", "fd00::ac:0/118")
"""For egress in the other family that never leaves the node, as EKS gives it to pods.

ENABLE_V4_EGRESS and ENABLE_V6_EGRESS in the README of aws/amazon-vpc-cni-k8s.
"""

PATIENT = 8.0
"""Seconds for a connection: SYNs leave at 0, 1, 3 and 7 s (RFC 6298), and one is enough."""

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


def expect_every_try(
    ask: Callable[[int], Sequence[Record[Any]]],
    condition: Condition,
    *,
    expected: str,
    on_failure: Callable[[Sequence[Record[Any]]], None] = lambda failed: None,
) -> None:
    """Wait once until rules for pods and Services of ours are loaded; then judge first tries.

    Args:
        ask: asks each path so many times.
        condition: tells whether one answer is what is expected.
        expected: what should be found, as a phrase.
        on_failure: gets the tries that failed, before they are judged, to tell more of them.

    Raises:
        Unmet: some of ten tries on each path failed; all of them count.
    """
    settle(lambda: ask(1), condition, after="our pods and Services were made", timeout=PATIENT)
    records = ask(TRIES)
    failed = [record for record in records if not condition(record)]
    if failed:
        on_failure(failed)
    good = len(records) - len(failed)
    remark(f"{good} of {len(records)} connections at the first try")
    expect_rates(
        records,
        condition,
        way=lambda record: (record.source, record.request["address"]),
        expected=expected,
        say=str,
        least=TRIES,
    )


def expect_most_echoed(
    probes: Probes,
    peers: Sequence[tuple[str, int]],
    *,
    expected: str,
    pod: str = "",
) -> None:
    """Wait once until rules for Services of ours are loaded; then judge datagrams by a rate.

    Args:
        probes: of every node one asks.
        peers: addresses and ports to ask.
        expected: where the echoes should come from, as a phrase.
        pod: who has to echo; empty when anyone may.

    Raises:
        Unmet: fewer than seven of ten datagrams on a path came back, none of them sent again.
    """

    def most_came_back(record: Record[Any]) -> bool:
        return record.answer.echoed >= LEAST and pod in ("", record.answer.pod)

    def ask() -> list[Record[Any]]:
        return probes.from_every_node(
            *(udp_exchange.Request(*peer, count=TRIES, timeout=PATIENT) for peer in peers)
        )

    settle(ask, most_came_back, after="our Services were made")
    records = ask()
    echoed = sum(record.answer.echoed for record in records)
    remark(f"{echoed} of {TRIES * len(records)} datagrams came back")
    rule = f"at least {LEAST} of {TRIES} echoes {expected}"
    expect_all(records, most_came_back, expected=rule)


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
