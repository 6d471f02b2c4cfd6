"""The Service API: what it refuses, and with which words."""

from __future__ import annotations

import ipaddress
from functools import partial

from pytest_ipv6k8s import DUAL_STACK, SINGLE_STACK, Record, check, expect
from pytest_ipv6k8s.suite import ClusterView, Outcome
from pytest_ipv6k8s.suite.admission import describe, expect_accepted, expect_refused
from pytest_ipv6k8s.suite.service_api import DRY_RUN_LOOK, PREFER, REQUIRE, SINGLE

CAUSES = (
    "an admission webhook or policy repairs or rewrites the object before it is validated",
    "the API server is older than the dual-stack API (Kubernetes 1.23), or not Kubernetes' own",
)
api = partial(check, references=["KEP-563: Services, validation"], causes=CAUSES, look=DRY_RUN_LOOK)
BOTH = ["IPv4", "IPv6"]
MULTIPLE = "must be 'RequireDualStack' or 'PreferDualStack' when multiple"
ONE_OF_A_FAMILY = "may specify no more than one IP for each IP family"


@api("API-06", stacks=SINGLE_STACK)
def test_require_dual_stack_is_refused_on_a_single_stack_cluster(cluster: ClusterView) -> None:
    """RequireDualStack is refused where there is only one family; PreferDualStack is not."""
    record = cluster.propose(ipFamilyPolicy=REQUIRE)

    words = "this cluster is not configured for dual-stack services"
    expect_refused(record, words, field="spec.ipFamilyPolicy")
    expect_accepted(cluster.propose(ipFamilyPolicy=PREFER))


@api("API-07", stacks=DUAL_STACK)
def test_two_families_need_a_policy(cluster: ClusterView) -> None:
    """Two families without a policy are refused.

    The text of KEP-563 would accept them; the API server never did, and it counts.
    """
    record = cluster.propose(ipFamilies=BOTH)

    expect_refused(record, MULTIPLE, field="spec.ipFamilyPolicy")
    expect_accepted(cluster.propose(ipFamilies=BOTH, ipFamilyPolicy=PREFER))


@api("API-08", stacks=DUAL_STACK)
def test_single_stack_takes_neither_two_families_nor_two_addresses(cluster: ClusterView) -> None:
    """SingleStack is refused together with two families or two cluster IPs."""
    addresses = list(cluster.free_addresses().values())

    families = cluster.propose(ipFamilyPolicy=SINGLE, ipFamilies=BOTH)
    ips = cluster.propose(ipFamilyPolicy=SINGLE, clusterIP=addresses[0], clusterIPs=addresses)

    expect_refused(families, f"{MULTIPLE} IP families", field="spec.ipFamilyPolicy")
    expect_refused(ips, f"{MULTIPLE} cluster IPs", field="spec.ipFamilyPolicy")


@api("API-11")
def test_cluster_ip_and_cluster_ips_have_to_agree(cluster: ClusterView) -> None:
    """The fields clusterIP and clusterIPs are refused unless they agree."""
    address = next(iter(cluster.free_addresses().values()))
    other = _neighbour(address)

    alone = cluster.propose(clusterIPs=[address])
    mismatch = cluster.propose(clusterIP=address, clusterIPs=[other])

    expect_refused(alone, "must be empty when `clusterIP` is not", field="spec.clusterIPs")
    expect_refused(mismatch, "first value must match `clusterIP`", field="spec.clusterIPs")
    expect_accepted(cluster.propose(clusterIP=address, clusterIPs=[address]))


def _neighbour(address: str) -> str:
    return str(ipaddress.ip_address(address) + 1)


@api("API-12")
def test_malformed_cluster_ips_are_refused(cluster: ClusterView) -> None:
    """No address, three addresses, two of one family, and None beside an address are refused."""
    address = next(iter(cluster.free_addresses().values()))
    near, far = _neighbour(address), _neighbour(_neighbour(address))

    def propose(*addresses: str) -> Record[Outcome]:
        policy = {"ipFamilyPolicy": PREFER} if len(addresses) > 1 else {}
        return cluster.propose(clusterIP=addresses[0], clusterIPs=list(addresses), **policy)

    field = "spec.clusterIPs"
    expect_refused(propose("hello"), "must be a valid IP address", field=field)
    expect_refused(propose(address, near, far), "may only hold up to 2 values", field=field)
    expect_refused(propose(address, near), ONE_OF_A_FAMILY, field=field)
    expect_refused(propose("None", address), "'None' must be the first and only", field=field)
    expect_accepted(propose(address))


@api("API-13", stacks=DUAL_STACK)
def test_addresses_have_to_be_of_the_family_at_their_index(cluster: ClusterView) -> None:
    """A cluster IP of another family than ipFamilies names at its index is refused."""
    free = cluster.free_addresses()

    for family, address in free.items():
        fields = {"clusterIP": address, "clusterIPs": [address]}

        record = cluster.propose(ipFamilies=[family.other.value], **fields)

        words = f"expected an {family.other.value} value as indicated by"
        expect_refused(record, words, field="spec.clusterIPs")
        expect_accepted(cluster.propose(ipFamilies=[family.value], **fields))


@api("API-14")
def test_unknown_and_doubled_values_are_refused(cluster: ClusterView) -> None:
    """Unknown policies and families are refused with the list of known ones, doubled ones too."""
    family = cluster.stack.primary.value

    policy = cluster.propose(ipFamilyPolicy="DualStack")
    unknown = cluster.propose(ipFamilies=["IPv5"])
    doubled = cluster.propose(ipFamilyPolicy=PREFER, ipFamilies=[family, family])

    expect_refused(policy, PREFER, field="spec.ipFamilyPolicy")
    expect_refused(unknown, "IPv6", field="spec.ipFamilies")
    expect_refused(doubled, "Duplicate", field="spec.ipFamilies")
    expect_accepted(cluster.propose(ipFamilyPolicy=PREFER, ipFamilies=[family]))


@api("API-17")
def test_external_name_has_no_family_fields(cluster: ClusterView) -> None:
    """An ExternalName Service has no family fields, and setting one is refused."""
    fields = {"type": "ExternalName", "externalName": "example.com", "selector": None}

    plain = cluster.propose(**fields)
    policy = cluster.propose(**fields, ipFamilyPolicy=PREFER)
    families = cluster.propose(**fields, ipFamilies=[cluster.stack.primary.value])

    expect_accepted(plain)
    made = plain.answer.object.get("spec", {})
    left = {name for name in ("ipFamilyPolicy", "ipFamilies", "clusterIPs") if made.get(name)}
    if plain.answer.accepted:
        expect(not left, expected="none of the three fields", actual=plain, say=describe)
    words = "may not be set for ExternalName services"
    expect_refused(policy, words, field="spec.ipFamilyPolicy")
    expect_refused(families, words, field="spec.ipFamilies")


@api("API-18")
def test_none_is_refused_for_services_that_need_an_address(cluster: ClusterView) -> None:
    """A clusterIP of None is refused for NodePort and LoadBalancer Services."""
    for kind in ("NodePort", "LoadBalancer"):
        record = cluster.propose(type=kind, clusterIP="None")

        words = f"may not be set to 'None' for {kind} services"
        expect_refused(record, words, field="spec.clusterIPs")
    expect_accepted(cluster.propose(type="NodePort"))
