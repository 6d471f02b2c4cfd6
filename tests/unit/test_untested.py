"""What was not tested, and how to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_ipv6k8s.features import Feature
from pytest_ipv6k8s.reports.untested import Gap, untested
from tests.documents import CLUSTER, report
from tests.documents import result as made_result

NO_TARGET, NO_UDP = Feature.IPV6_TARGET_TCP.reason, Feature.IPV6_TARGET_UDP.reason
EXISTING = replace(CLUSTER, provider="existing")


def _untested(**reasons: str) -> list[Gap]:
    results = [
        made_result(id.replace("_", "-"), "skip", reason=reason) for id, reason in reasons.items()
    ]
    return untested(report(*results, cluster=EXISTING))


def test_skipped_checks_are_one_line_for_each_thing_that_is_missing() -> None:
    hosts = "needs host-network probe pods: admission refuses them"

    gaps = _untested(EGR_01=NO_TARGET, EGR_14=NO_TARGET, EGR_02=NO_UDP, SVC_04=hosts)

    assert [str(gap) for gap in gaps] == [
        "a target outside (2 checks): --ipv6k8s-target 'v6=[ADDRESS]:443', or "
        "--ipv6k8s-target internet",
        "a target that runs our agent (1 check): `ipv6k8s target` prints the command that starts "
        "it",
        "host-network probes (1 check): --ipv6k8s-allow privileged",
    ]


def test_a_reason_that_no_feature_gives_stands_for_itself() -> None:
    (gap,) = _untested(POL_01="needs namespaces of its own: leave --ipv6k8s-namespace out")

    assert str(gap) == ("needs namespaces of its own: leave --ipv6k8s-namespace out (1 check)")


def test_beside_a_cluster_that_was_made_the_testbed_has_it() -> None:
    made = replace(CLUSTER, provider="kind")
    skipped = made_result("EGR-01", "skip", reason=NO_TARGET)

    (gap,) = untested(report(skipped, cluster=made))

    assert gap.how == "--ipv6k8s-external testbed"


@pytest.mark.parametrize("made", [True, False])
def test_every_feature_has_its_way_in_one_line(made: bool) -> None:
    for feature in Feature:
        how = feature.remedy.how(made=made)
        assert how
        assert len(feature.remedy.title) + len(how) < 100
