"""The diagnosis: one headline for each failed check, that on which most rests first."""

from __future__ import annotations

from pytest_ipv6k8s.reports.diagnosis import diagnosis
from pytest_ipv6k8s.results import Failure
from tests.documents import FAILURE, report, result


def test_a_healthy_cluster_has_none() -> None:
    assert diagnosis(report(result("SVC-01", "pass")).checks) == []


def test_what_most_rests_on_comes_first_and_a_waived_failure_does_not_come() -> None:
    failure = Failure(
        expected="an answer",
        actual=("none", "none either"),
        paths=(),
        causes=("c",),
        look="kubectl get pods",
        facts=("Deployment dns: 0 of 0 replicas ready",),
        fixes=("CoreDNS: scale it", "node: reboot"),
    )
    found = diagnosis(
        report(
            result("ADDR-16", "fail", "IPv6"),
            result("DNS-01", "fail", failure=failure),
            result("DNS-04", "not judged", rests_on=("DNS-01",)),
            result("DNS-05", "not judged", rests_on=("ADDR-16", "DNS-01")),
            result("MTU-07", "fail", "IPv6"),
            waivers={"MTU-07": "known"},
        ).checks
    )

    assert [(one.name, one.resting) for one in found] == [
        ("DNS-01", ("DNS-04", "DNS-05")),
        ("ADDR-16 IPv6", ("DNS-05",)),
    ]
    assert found[0].lines == [
        ("actual", "none"),
        ("found", "Deployment dns: 0 of 0 replicas ready"),
        ("fix", "CoreDNS: scale it"),
        ("look", "kubectl get pods"),
    ]
    assert found[1].lines == [
        ("actual", FAILURE.actual[0]),
        ("died", FAILURE.traces[0].died),
        ("look", FAILURE.look),
    ]
