"""The Service API: which policy, families and addresses a Service gets."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import partial

from pytest_ipv6k8s import DUAL_STACK, Family, Record, check, expect, remark
from pytest_ipv6k8s.suite import ClusterView, Outcome
from pytest_ipv6k8s.suite.admission import expect_refused, require_verdict
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
    "an admission webhook or policy rewrites ipFamilyPolicy, ipFamilies or clusterIPs",
    "the API server's --service-cluster-ip-range lacks a family or has the other order",
    "the API servers of a control plane have different --service-cluster-ip-range",
)
api = partial(check, references=["KEP-563: Services, defaulting"], causes=CAUSES, look=DRY_RUN_LOOK)


def _expect_service(record: Record[Outcome], *, policy: str, families: Sequence[Family]) -> None:
    """Expect an accepted proposal with this policy and, one for one, these families."""
    require_verdict(record)
    spec = record.answer.object.get("spec", {})
    addresses = [ip for ip in spec.get("clusterIPs") or [] if ip != "None"]

    expect(
        record.answer.accepted
        and has_families(spec, policy, families)
        and [Family.of(ip) for ip in addresses] == list(families)
        and spec.get("clusterIP") == addresses[0],
        expected=f"{policy}, {', '.join(names(families))}, a cluster IP of each in this order",
        actual=record,
        say=describe,
    )


def _expect_addresses(record: Record[Outcome], *wanted: str) -> None:
    """Expect that the first cluster IPs of an accepted proposal are those that were asked for."""
    given = record.answer.object["spec"]["clusterIPs"][: len(wanted)]
    expect(
        given == list(wanted),
        expected=f"first cluster IPs {', '.join(wanted)}",
        actual=record,
        say=describe,
    )


def _expect_unconfigured(record: Record[Outcome]) -> None:
    """Expect that a family which the cluster lacks is refused by its index."""
    expect_refused(record, "not configured on this cluster", field="spec.ipFamilies[0]")


@api("API-01")
def test_service_without_fields_is_single_stack(cluster: ClusterView) -> None:
    """A Service without family fields gets SingleStack and the cluster's first family."""
    record = cluster.propose()

    _expect_service(record, policy=SINGLE, families=[cluster.stack.primary])


@api("API-02")
def test_one_family_alone_is_single_stack_of_it(cluster: ClusterView) -> None:
    """A Service that names one family gets it with SingleStack, or an error if there is none."""
    for family in Family:
        record = cluster.propose(ipFamilies=[family.value])

        if family in cluster.stack.families:
            _expect_service(record, policy=SINGLE, families=[family])
        else:
            _expect_unconfigured(record)


@api("API-03")
def test_prefer_dual_stack_gets_what_the_cluster_has(cluster: ClusterView) -> None:
    """PreferDualStack without families gets all families of the cluster, its first one first.

    What the cluster has is told by the ServiceCIDR ``kubernetes``, which holds the API server's
    --service-cluster-ip-range. Before Kubernetes 1.33, without one, it is the stack that was
    declared or inferred; an inference from what Services get cannot be wrong here.
    """
    record = cluster.propose(ipFamilyPolicy=PREFER)

    ranges = list(dict.fromkeys(map(Family.of, cluster.service_cidrs)))
    if not ranges:
        remark("the cluster has no ServiceCIDR object to compare with")
    _expect_service(record, policy=PREFER, families=ranges or cluster.stack.families)


@api("API-04")
def test_prefer_dual_stack_keeps_the_family_that_is_named_first(cluster: ClusterView) -> None:
    """PreferDualStack with one family gets it first, and the other one where there is one."""
    for family in Family:
        record = cluster.propose(ipFamilyPolicy=PREFER, ipFamilies=[family.value])

        if family not in cluster.stack.families:
            _expect_unconfigured(record)
        elif cluster.stack.is_dual:
            _expect_service(record, policy=PREFER, families=[family, family.other])
        else:
            _expect_service(record, policy=PREFER, families=[family])


@api("API-05", stacks=DUAL_STACK)
def test_the_order_of_two_families_is_kept(cluster: ClusterView) -> None:
    """Two families are given in the order that was asked for, whatever the policy."""
    for policy in (PREFER, REQUIRE):
        for first in Family:
            families = [first, first.other]

            record = cluster.propose(ipFamilyPolicy=policy, ipFamilies=names(families))

            _expect_service(record, policy=policy, families=families)


@api("API-09")
def test_an_explicit_cluster_ip_tells_its_family(cluster: ClusterView) -> None:
    """A cluster IP that is asked for is given, and ipFamilies follow from it."""
    for family, address in cluster.free_addresses().items():
        record = cluster.propose(clusterIP=address, clusterIPs=[address])

        _expect_service(record, policy=SINGLE, families=[family])
        _expect_addresses(record, address)


@api("API-10", stacks=DUAL_STACK)
def test_explicit_cluster_ips_are_completed_and_kept_in_order(cluster: ClusterView) -> None:
    """With one explicit cluster IP the other is allocated; two are given in their order."""
    free = cluster.free_addresses()

    for family, address in free.items():
        record = cluster.propose(ipFamilyPolicy=REQUIRE, clusterIP=address, clusterIPs=[address])
        _expect_service(record, policy=REQUIRE, families=[family, family.other])
        _expect_addresses(record, address)

        both = [address, free[family.other]]
        record = cluster.propose(ipFamilyPolicy=REQUIRE, clusterIP=address, clusterIPs=both)
        _expect_service(record, policy=REQUIRE, families=[family, family.other])
        _expect_addresses(record, *both)


@api(
    "API-22",
    references=[
        "kubernetes/kubernetes: pkg/controlplane/controller/kubernetesservice/controller.go",
        "Kubernetes documentation: the kubernetes Service",
        "KEP-2438: Service and EndpointSlice reconciling, current behavior",
    ],
    causes=("the first --service-cluster-ip-range was changed after the cluster was made", *CAUSES),
    look="kubectl get service kubernetes -n default -o yaml",
)
def test_the_kubernetes_service_has_the_first_family(cluster: ClusterView) -> None:
    """The Service ``kubernetes`` has as its first cluster IP the first address of the first CIDR.

    The API server makes it with one, in every version up to 1.36, and leaves it alone afterwards:
    a second one, which KEP-2438 (provisional) wants, is somebody's choice (k3s-io/k3s 13383).
    """
    spec = cluster.service("default/kubernetes").spec
    cidrs = cluster.service_cidrs

    families = [Family.of(ip) for ip in spec["clusterIPs"]]
    expect(
        families[0] is cluster.stack.primary and spec["ipFamilies"] == names(families),
        expected=f"a first cluster IP of {cluster.stack.primary.value}",
        actual=spec,
    )
    if len(families) > 1:
        remark("the Service kubernetes was given a cluster IP of the other family, too")
    if cidrs:
        first = str(ipaddress.ip_network(cidrs[0]).network_address + 1)
        expect(spec["clusterIP"] == first, expected=f"cluster IP {first}", actual=spec)
