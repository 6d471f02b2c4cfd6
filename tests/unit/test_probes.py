"""Who is asked: probes with an address of the families that a check is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.agent.ops import Request, tcp_connect
from pytest_ipv6k8s.errors import Inconclusive
from pytest_ipv6k8s.evidence import Recorder
from pytest_ipv6k8s.expectations import settle, take_statements
from pytest_ipv6k8s.probe.probes import IN_DOUBT, Probe, ProbePod, Probes

V4, V6 = Family.V4, Family.V6


def _probe(name: str, node: str, *ips: str) -> Probe:
    pod = ProbePod(name=name, namespace="n", node=node, ips=ips, host_ips=())
    return Probe(pod, lambda requests: [], Recorder())


MIXED = Probes(
    [_probe("p0", "a", "10.0.0.1", "fd00::1"), _probe("p1", "b", "10.0.1.1")],
    hosts=[_probe("h0", "a", "fd00::a"), _probe("h1", "b", "10.1.0.2")],
    peers=[_probe("q1", "b", "10.0.1.2")],
)


@pytest.mark.parametrize(
    ("families", "names", "told"),
    [
        ((), ["p0", "p1", "h0", "h1", "q1"], ()),
        ((V6,), ["p0", "h0"], ("not asked, for want of IPv6: pods on b",)),
        ((V4, V6), ["p0"], ("not asked, for want of IPv4 and IPv6: pods on b",)),
    ],
)
def test_one_node_without_a_family_does_not_silence_the_others(
    families: tuple[Family, ...], names: list[str], told: tuple[str, ...]
) -> None:
    take_statements()

    asked = MIXED.having(families)

    assert [probe.name for probe in asked.everyone] == names
    assert take_statements().remarks == told


def test_a_family_that_no_probe_has_cannot_be_asked() -> None:
    with pytest.raises(Inconclusive, match="no probe has an address of IPv6"):
        Probes([_probe("p0", "a", "10.0.0.1")]).having([V6])


def test_nobody_waits_for_an_answer_that_is_known_to_be_spoilt() -> None:
    asked: list[Any] = []

    def silent(requests: Sequence[Request[Any]]) -> list[Any]:
        asked.extend(requests)
        return [tcp_connect.Answer(connected=False) for _ in requests]

    recorder = Recorder()
    recorder.doubt(lambda source, request: request["address"] == "fd00::2")
    pod = ProbePod(name="p0", namespace="n", node="a", ips=(), host_ips=())
    probe, spoilt = Probe(pod, silent, recorder), tcp_connect.Request("fd00::2", 1, timeout=9)

    settle(lambda: [probe.ask(spoilt)], lambda record: record.answer.connected, after="a change")
    probe.ask(tcp_connect.Request("fd00::3", 1, timeout=9))

    assert [request.timeout for request in asked] == [IN_DOUBT, 9]
