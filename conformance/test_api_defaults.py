"""The Service API: which policy, families and addresses a Service gets."""

from __future__ import annotations

import ipaddress

from pytest_ipv6k8s import DUAL_STACK, Family, check, expect
from pytest_ipv6k8s.suite import ClusterView

KEP = "KEP-563: Services, defaulting"
LOOK = "kubectl create --dry-run=server -o yaml -f service.yaml"
CAUSES = (
    "an admission webhook or policy rewrites ipFamilyPolicy, ipFamilies or clusterIPs",
    "the API server's --service-cluster-ip-range lacks a family or has the other order",
    "the API servers of a control plane have different --service-cluster-ip-range",
)
SINGLE, PREFER, REQUIRE = "SingleStack", "PreferDualStack", "RequireDualStack"


def _names(families) -> list[str]:
    return [family.value for family in families]


def _expect_service(record, *, policy: str, families) -> None:
    """Expect an accepted proposal with this policy and, one for one, these families."""
    made = record.answer.object.get("spec", {})
    addresses = [ip for ip in made.get("clusterIPs") or [] if ip != "None"]

    expect(
        record.answer.accepted
        and made.get("ipFamilyPolicy") == policy
        and made.get("ipFamilies") == _names(families)
        and [Family.of(ip) for ip in addresses] == list(families)
        and made.get("clusterIP") == addresses[0],
        expected=f"{policy}, {', '.join(_names(families))}, a cluster IP of each in this order",
        actual=record,
        say=_said,
    )


def _said(record) -> str:
    """Return what the API server made of a proposal, or why it refused."""
    answer = record.answer
    if not answer.accepted:
        return f"{record.path}: refused with {answer.code}: {answer.message}"
    fields = ("ipFamilyPolicy", "ipFamilies", "clusterIP", "clusterIPs")
    return f"{record.path}: { {name: answer.object['spec'].get(name) for name in fields} }"


def _expect_unconfigured(record, family: Family, index: int = 0) -> None:
    """Expect that a family which the cluster lacks is refused by its index."""
    field, words = f"spec.ipFamilies[{index}]", "not configured on this cluster"
    expect(
        any(cause.field == field and words in cause.message for cause in record.answer.causes),
        expected=f"{field}: {family.value} is {words}",
        actual=record,
        say=_said,
    )


@check("API-01", references=[KEP], causes=CAUSES, look=LOOK)
def test_service_without_fields_is_single_stack(cluster: ClusterView) -> None:
    """A Service without family fields gets SingleStack and the cluster's first family."""
    record = cluster.propose()

    _expect_service(record, policy=SINGLE, families=[cluster.stack.primary])


@check("API-02", references=[KEP], causes=CAUSES, look=LOOK)
def test_one_family_alone_is_single_stack_of_it(cluster: ClusterView) -> None:
    """A Service that names one family gets it with SingleStack, or an error if there is none."""
    for family in Family:
        record = cluster.propose(ipFamilies=[family.value])

        if family in cluster.stack.families:
            _expect_service(record, policy=SINGLE, families=[family])
        else:
            _expect_unconfigured(record, family)


@check("API-03", references=[KEP], causes=CAUSES, look=LOOK)
def test_prefer_dual_stack_gets_what_the_cluster_has(cluster: ClusterView) -> None:
    """PreferDualStack without families gets all families of the cluster, its first one first."""
    record = cluster.propose(ipFamilyPolicy=PREFER)

    _expect_service(record, policy=PREFER, families=cluster.stack.families)


@check("API-04", references=[KEP], causes=CAUSES, look=LOOK)
def test_prefer_dual_stack_keeps_the_family_that_is_named_first(cluster: ClusterView) -> None:
    """PreferDualStack with one family gets it first, and the other one where there is one."""
    for family in Family:
        record = cluster.propose(ipFamilyPolicy=PREFER, ipFamilies=[family.value])

        if family not in cluster.stack.families:
            _expect_unconfigured(record, family)
        elif cluster.stack.is_dual:
            _expect_service(record, policy=PREFER, families=[family, family.other])
        else:
            _expect_service(record, policy=PREFER, families=[family])


@check("API-05", stacks=DUAL_STACK, references=[KEP], causes=CAUSES, look=LOOK)
def test_the_order_of_two_families_is_kept(cluster: ClusterView) -> None:
    """Two families are given in the order that was asked for, whatever the policy."""
    for policy in (PREFER, REQUIRE):
        for first in Family:
            families = [first, first.other]

            record = cluster.propose(ipFamilyPolicy=policy, ipFamilies=_names(families))

            _expect_service(record, policy=policy, families=families)


@check("API-09", references=[KEP], causes=CAUSES, look=LOOK)
def test_an_explicit_cluster_ip_tells_its_family(cluster: ClusterView) -> None:
    """A cluster IP that is asked for is given, and ipFamilies follow from it."""
    for family, address in cluster.free_addresses().items():
        record = cluster.propose(clusterIP=address, clusterIPs=[address])

        _expect_service(record, policy=SINGLE, families=[family])
        given = record.answer.object["spec"]["clusterIPs"]
        expect(given == [address], expected=f"cluster IP {address}", actual=record, say=_said)


@check("API-10", stacks=DUAL_STACK, references=[KEP], causes=CAUSES, look=LOOK)
def test_explicit_cluster_ips_are_completed_and_kept_in_order(cluster: ClusterView) -> None:
    """With one explicit cluster IP the other is allocated; two are given in their order."""
    free = cluster.free_addresses()

    for family, address in free.items():
        record = cluster.propose(ipFamilyPolicy=REQUIRE, clusterIP=address, clusterIPs=[address])
        _expect_service(record, policy=REQUIRE, families=[family, family.other])
        first = record.answer.object["spec"]["clusterIP"]
        expect(first == address, expected=f"{address} first", actual=record, say=_said)

        both = [address, free[family.other]]
        record = cluster.propose(ipFamilyPolicy=REQUIRE, clusterIP=address, clusterIPs=both)
        _expect_service(record, policy=REQUIRE, families=[family, family.other])
        given = record.answer.object["spec"]["clusterIPs"]
        expect(given == both, expected=f"cluster IPs {both}", actual=record, say=_said)


@check(
    "API-22",
    references=["KEP-2438: dual-stack API server", "Kubernetes docs: the kubernetes Service"],
    causes=(
        "the first --service-cluster-ip-range was changed after the cluster was made",
        *CAUSES,
    ),
    look="kubectl get service kubernetes -n default -o yaml",
)
def test_the_kubernetes_service_has_the_first_family(cluster: ClusterView) -> None:
    """The Service ``kubernetes`` has one cluster IP: the first address of the first CIDR."""
    spec = cluster.service("default", "kubernetes")["spec"]
    cidrs = cluster.service_cidrs

    families = [Family.of(ip) for ip in spec["clusterIPs"]]
    expect(
        families == [cluster.stack.primary] and spec["ipFamilies"] == _names(families),
        expected=f"one cluster IP of {cluster.stack.primary.value}",
        actual=spec,
    )
    if cidrs:
        first = str(ipaddress.ip_network(cidrs[0]).network_address + 1)
        expect(spec["clusterIP"] == first, expected=f"cluster IP {first}", actual=spec)
