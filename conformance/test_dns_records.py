"""DNS records of Services: which there are for each family, and what a missing one looks like."""

from __future__ import annotations

from pytest_ipv6k8s import (
    DUAL_STACK,
    WITH_IPV4,
    WITH_IPV6,
    Family,
    Feature,
    check,
    expect_all,
)
from pytest_ipv6k8s.addresses import reverse_name
from pytest_ipv6k8s.dns_messages import reply
from pytest_ipv6k8s.probe.services import HTTP
from pytest_ipv6k8s.suite import ClusterView, Probes, Services
from pytest_ipv6k8s.suite.dns import (
    COREDNS_LOOK,
    Exchange,
    ask,
    ask_until_answered,
    data_of,
    describe,
    expect_data,
)

SPEC = "Kubernetes DNS-Based Service Discovery"
RECORD_CAUSES = (
    "a template, rewrite or dns64 directive in the Corefile stands before kubernetes and answers "
    "in its place",
    "CoreDNS cannot read Services or EndpointSlices (rights, watch broken)",
)


def _expect_data(
    cluster: ClusterView, probes: Probes, name: str, record_type: str, wanted: set[str]
) -> None:
    servers = cluster.dns.cluster_ips[:1]
    records = ask_until_answered(probes, servers, name, record_type)
    expect_data(records, record_type, wanted, f"{name} {record_type}")


def _expect_cluster_ip(
    cluster: ClusterView, probes: Probes, services: Services, family: Family
) -> None:
    for name in ("every", f"only-{family.value.lower()}"):
        service = services[name]
        addresses = {service.cluster_ip(family)}
        _expect_data(cluster, probes, service.dns_name, family.record_type, addresses)


@check(
    "DNS-04",
    stacks=WITH_IPV6,
    features=[Feature.CLUSTER_DNS],
    references=[f"{SPEC} section 2.3.1", "RFC 3596"],
    causes=RECORD_CAUSES,
    look=COREDNS_LOOK,
)
def test_service_has_an_aaaa_record(
    cluster: ClusterView, probes: Probes, services: Services
) -> None:
    """The AAAA record of a Service is exactly its IPv6 cluster IP."""
    _expect_cluster_ip(cluster, probes, services, Family.V6)


@check(
    "DNS-05",
    stacks=WITH_IPV4,
    features=[Feature.CLUSTER_DNS],
    references=[f"{SPEC} section 2.3.1"],
    causes=RECORD_CAUSES,
    look=COREDNS_LOOK,
)
def test_service_has_an_a_record(cluster: ClusterView, probes: Probes, services: Services) -> None:
    """The A record of a Service is exactly its IPv4 cluster IP."""
    _expect_cluster_ip(cluster, probes, services, Family.V4)


@check(
    "DNS-06",
    stacks=DUAL_STACK,
    features=[Feature.CLUSTER_DNS],
    references=[f"{SPEC} section 2.3.1", "KEP-563: DNS"],
    causes=("the Service is not dual-stack after all (API-03)", *RECORD_CAUSES),
    look=COREDNS_LOOK,
)
def test_dual_stack_service_has_both_records(
    cluster: ClusterView, probes: Probes, services: Services
) -> None:
    """A dual-stack Service has one A and one AAAA record, each its cluster IP of that family."""
    service = services["every"]

    for family in cluster.stack.families:
        addresses = {service.cluster_ip(family)}
        _expect_data(cluster, probes, service.dns_name, family.record_type, addresses)


@check(
    "DNS-07",
    features=[Feature.CLUSTER_DNS],
    references=["RFC 2308 section 2.2", "RFC 4074 section 4"],
    causes=(
        "the DNS server answers NXDOMAIN, SERVFAIL or REFUSED for a type that it does not have: "
        "some resolvers then discard the other family's good answer",
        *RECORD_CAUSES,
    ),
    look=COREDNS_LOOK,
)
def test_missing_family_is_no_data(
    cluster: ClusterView, probes: Probes, services: Services
) -> None:
    """A family that a Service lacks is answered with NOERROR, no record, and an SOA."""
    for family in cluster.stack.families:
        service = services[f"only-{family.value.lower()}"]

        records = ask(
            probes, cluster.dns.cluster_ips[:1], service.dns_name, family.other.record_type
        )

        expect_all(
            records,
            _is_no_data,
            expected=f"NODATA for {service.dns_name} {family.other.record_type}",
            say=describe,
        )


def _is_no_data(record: Exchange) -> bool:
    found = reply(record.answer.wire)
    return found is not None and found.rcode == "NOERROR" and not found.records and found.has_soa


@check(
    "DNS-08",
    families=Family,
    features=[Feature.CLUSTER_DNS],
    references=[f"{SPEC} section 2.4.1"],
    causes=("the EndpointSlices of this family are incomplete (SVC-07)", *RECORD_CAUSES),
    look="kubectl get endpointslices -A -l kubernetes.io/service-name=headless -o wide",
)
def test_headless_service_has_a_record_for_each_pod(
    family: Family, cluster: ClusterView, probes: Probes, services: Services
) -> None:
    """A headless Service has one record for each ready pod's address of the family."""
    wanted = {probe.address(family) for probe in probes}

    name = services["headless"].dns_name
    _expect_data(cluster, probes, name, family.record_type, wanted)


@check(
    "DNS-11",
    stacks=WITH_IPV6,
    features=[Feature.CLUSTER_DNS],
    references=[f"{SPEC} section 2.3.3", "RFC 3596 section 2.5"],
    causes=(
        "the Corefile's kubernetes zones lack ip6.arpa or the Service CIDR's reverse zone",
        *RECORD_CAUSES,
    ),
    look=COREDNS_LOOK,
)
def test_ipv6_cluster_ip_resolves_back(
    cluster: ClusterView, probes: Probes, services: Services
) -> None:
    """The PTR record of an IPv6 cluster IP is the Service's full name."""
    service = services["every"]
    name = reverse_name(service.cluster_ip(Family.V6))

    _expect_data(cluster, probes, name, "PTR", {service.dns_name})


@check(
    "DNS-14",
    features=[Feature.CLUSTER_DNS],
    references=[f"{SPEC} section 2.3.2", "RFC 2782"],
    causes=RECORD_CAUSES,
    look=COREDNS_LOOK,
)
def test_srv_target_resolves_in_every_family(
    cluster: ClusterView, probes: Probes, services: Services
) -> None:
    """The SRV record of a named port leads to a target that has an address of every family."""
    service = services["every"]

    records = ask(probes, cluster.dns.cluster_ips[:1], f"_http._tcp.{service.dns_name}", "SRV")
    wanted = {f"{HTTP} {service.dns_name}"}
    expect_all(
        records,
        lambda record: {_target(data) for data in data_of(record, "SRV")} == wanted,
        expected=f"an SRV record for {wanted}",
        say=describe,
    )
    for family in service.families:
        addresses = {service.cluster_ip(family)}
        _expect_data(cluster, probes, service.dns_name, family.record_type, addresses)


def _target(data: str) -> str:
    """Return port and target of an SRV record; priority and weight are the server's to choose."""
    return data.split(maxsplit=2)[2]
