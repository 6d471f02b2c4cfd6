"""The Service API: families of Services without a cluster IP."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pytest_ipv6k8s import Family, Record, check, expect
from pytest_ipv6k8s.suite import ClusterView, Outcome
from pytest_ipv6k8s.suite.admission import require_verdict
from pytest_ipv6k8s.suite.service_api import (
    DRY_RUN_LOOK,
    PREFER,
    REQUIRE,
    SINGLE,
    describe,
    has_families,
    names,
)

CAUSES = (
    "an admission webhook or policy rewrites ipFamilyPolicy or ipFamilies",
    "the API server's --service-cluster-ip-range lacks a family or has the other order",
)
api = partial(check, references=["KEP-563: headless Services"], causes=CAUSES, look=DRY_RUN_LOOK)


def _expect_headless(record: Record[Outcome], *, policy: str, families: Sequence[Family]) -> None:
    """Expect an accepted proposal without an address, with this policy and these families."""
    require_verdict(record)
    spec = record.answer.object.get("spec", {})
    expect(
        record.answer.accepted
        and spec.get("clusterIPs") == ["None"]
        and has_families(spec, policy, families),
        expected=f"clusterIPs [None], {policy}, {', '.join(names(families))}",
        actual=record,
        say=describe,
    )


@api("API-15")
def test_headless_service_with_selector_is_defaulted_as_any_other(cluster: ClusterView) -> None:
    """A headless Service with a selector gets policy and families as one with a cluster IP."""
    stack = cluster.stack

    plain = cluster.propose(clusterIP="None")
    preferring = cluster.propose(clusterIP="None", ipFamilyPolicy=PREFER)

    _expect_headless(plain, policy=SINGLE, families=[stack.primary])
    _expect_headless(preferring, policy=PREFER, families=stack.families)


@api("API-16")
def test_headless_service_without_selector_has_both_families(cluster: ClusterView) -> None:
    """A headless Service without a selector gets RequireDualStack and both families.

    So it does on a single-stack cluster, too: its endpoints are somebody else's to choose.
    """
    first = cluster.stack.primary

    plain = cluster.propose(clusterIP="None", selector=None)
    single = cluster.propose(clusterIP="None", selector=None, ipFamilyPolicy=SINGLE)

    _expect_headless(plain, policy=REQUIRE, families=[first, first.other])
    _expect_headless(single, policy=SINGLE, families=[first])
