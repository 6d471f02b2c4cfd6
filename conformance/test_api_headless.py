"""The Service API: families of Services without a cluster IP."""

from __future__ import annotations

from pytest_ipv6k8s import Family, check, expect
from pytest_ipv6k8s.suite import ClusterView

KEP = "KEP-563: headless Services"
LOOK = "kubectl create --dry-run=server -o yaml -f service.yaml"
CAUSES = (
    "an admission webhook or policy rewrites ipFamilyPolicy or ipFamilies",
    "the API server's --service-cluster-ip-range lacks a family or has the other order",
)
SINGLE, PREFER, REQUIRE = "SingleStack", "PreferDualStack", "RequireDualStack"


def _expect_headless(record, *, policy: str, families) -> None:
    """Expect an accepted proposal without an address, with this policy and these families."""
    made = record.answer.object.get("spec", {})
    names = [family.value for family in families]
    expect(
        record.answer.accepted
        and made.get("clusterIPs") == ["None"]
        and made.get("ipFamilyPolicy") == policy
        and made.get("ipFamilies") == names,
        expected=f"clusterIPs [None], {policy}, {', '.join(names)}",
        actual=record,
        say=_said,
    )


def _said(record) -> str:
    answer = record.answer
    if not answer.accepted:
        return f"{record.path}: refused with {answer.code}: {answer.message}"
    fields = ("ipFamilyPolicy", "ipFamilies", "clusterIPs")
    return f"{record.path}: { {name: answer.object['spec'].get(name) for name in fields} }"


@check("API-15", references=[KEP], causes=CAUSES, look=LOOK)
def test_headless_service_with_selector_is_defaulted_as_any_other(cluster: ClusterView) -> None:
    """A headless Service with a selector gets policy and families as one with a cluster IP."""
    stack = cluster.stack

    plain = cluster.propose(clusterIP="None")
    preferring = cluster.propose(clusterIP="None", ipFamilyPolicy=PREFER)

    _expect_headless(plain, policy=SINGLE, families=[stack.primary])
    _expect_headless(preferring, policy=PREFER, families=stack.families)


@check("API-16", references=[KEP], causes=CAUSES, look=LOOK)
def test_headless_service_without_selector_has_both_families(cluster: ClusterView) -> None:
    """A headless Service without a selector gets RequireDualStack and both families.

    So it does on a single-stack cluster, too: its endpoints are somebody else's to choose.
    """
    first: Family = cluster.stack.primary

    plain = cluster.propose(clusterIP="None", selector=None)
    single = cluster.propose(clusterIP="None", selector=None, ipFamilyPolicy=SINGLE)

    _expect_headless(plain, policy=REQUIRE, families=[first, first.other])
    _expect_headless(single, policy=SINGLE, families=[first])
