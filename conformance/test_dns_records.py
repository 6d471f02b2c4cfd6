"""DNS records of Services: which there are for each family, and what a missing one looks like."""

from __future__ import annotations

from functools import partial

from pytest_ipv6k8s import DUAL_STACK, WITH_IPV4, WITH_IPV6, Family, check, expect_all
from pytest_ipv6k8s.addresses import reverse_name
from pytest_ipv6k8s.dns_messages import reply
from pytest_ipv6k8s.probe.services import HTTP
from pytest_ipv6k8s.suite import ClusterView, Probes, Services
from pytest_ipv6k8s.suite.dns import COREDNS_LOOK, ClusterDns, Exchange, data_of
from pytest_ipv6k8s.words import listed

SPEC = "Kubernetes DNS-Based Service Discovery"
RECORD_CAUSES = (
    "a template, rewrite or dns64 directive in the Corefile stands before kubernetes and answers "
    "in its place",
    "CoreDNS cannot read Services or EndpointSlices (rights, watch broken)",
)
dns_check = partial(check, causes=RECORD_CAUSES, look=COREDNS_LOOK, rests_on=["DNS-01"])
ADDRESS_RECORDS = ["DNS-04", "DNS-05"]


def _expect_cluster_ip(dns: ClusterDns, services: Services, family: Family) -> None:
    for name in ("every", f"only-{family.value.lower()}"):
        service = services[name]
        dns.await_records(service.dns_name, family.record_type, {service.cluster_ip(family)})


@dns_check("DNS-04", stacks=WITH_IPV6, references=[f"{SPEC} section 2.3.1", "RFC 3596"])
def test_service_has_an_aaaa_record(dns: ClusterDns, services: Services) -> None:
    """The AAAA record of a Service is exactly its IPv6 cluster IP."""
    _expect_cluster_ip(dns, services, Family.V6)


@dns_check("DNS-05", stacks=WITH_IPV4, references=[f"{SPEC} section 2.3.1"])
def test_service_has_an_a_record(dns: ClusterDns, services: Services) -> None:
    """The A record of a Service is exactly its IPv4 cluster IP."""
    _expect_cluster_ip(dns, services, Family.V4)


@dns_check(
    "DNS-06",
    rests_partly_on=ADDRESS_RECORDS,
    stacks=DUAL_STACK,
    references=[f"{SPEC} section 2.3.1", "KEP-563: DNS"],
    causes=("the Service is not dual-stack after all (API-03)", *RECORD_CAUSES),
)
def test_dual_stack_service_has_both_records(
    cluster: ClusterView, dns: ClusterDns, services: Services
) -> None:
    """A dual-stack Service has one A and one AAAA record, each its cluster IP of that family."""
    service = services["every"]

    for family in cluster.stack.families:
        dns.await_records(service.dns_name, family.record_type, {service.cluster_ip(family)})


@dns_check(
    "DNS-07",
    rests_partly_on=[*ADDRESS_RECORDS, "SVC-10"],
    references=["RFC 2308 section 3", "RFC 4074 section 4"],
    causes=(
        "the DNS server answers NXDOMAIN, SERVFAIL or REFUSED for a type that it does not have: "
        "some resolvers then discard the other family's good answer",
        *RECORD_CAUSES,
    ),
)
def test_missing_family_is_no_data(
    cluster: ClusterView, dns: ClusterDns, services: Services
) -> None:
    """A family that a Service lacks is answered with NOERROR, no record, and an SOA."""
    for family in cluster.stack.families:
        service = services[f"only-{family.value.lower()}"]

        dns.await_records(service.dns_name, family.record_type, {service.cluster_ip(family)})
        records = dns.ask(service.dns_name, family.other.record_type)

        expect_all(
            records,
            _is_no_data,
            expected=f"NODATA for {service.dns_name} {family.other.record_type}",
            say=dns.say,
        )


def _is_no_data(record: Exchange) -> bool:
    found = reply(record.answer.wire)
    return (
        found is not None
        and found.rcode == "NOERROR"
        and not found.records
        and found.soa_ttl is not None
    )


@dns_check(
    "DNS-08",
    rests_partly_on=[*ADDRESS_RECORDS, "SVC-07"],
    families=Family,
    references=[f"{SPEC} section 2.4.1"],
    look="kubectl -n kube-system logs -l k8s-app=kube-dns --tail=50",
)
def test_headless_service_has_a_record_for_each_pod(
    family: Family, dns: ClusterDns, probes: Probes, services: Services
) -> None:
    """A headless Service has one record for each ready pod's address of the family."""
    wanted = {probe.address(family) for probe in probes}

    dns.await_records(services["headless"].dns_name, family.record_type, wanted)


@dns_check(
    "DNS-11",
    rests_on=[],
    rests_partly_on=["DNS-01"],
    stacks=WITH_IPV6,
    references=[f"{SPEC} section 2.3.3", "RFC 3596 section 2.5"],
    causes=(
        "the Corefile's kubernetes zones lack ip6.arpa or the Service CIDR's reverse zone",
        *RECORD_CAUSES,
    ),
)
def test_ipv6_cluster_ip_resolves_back(dns: ClusterDns, services: Services) -> None:
    """The PTR record of an IPv6 cluster IP is the Service's full name."""
    service = services["every"]
    name = reverse_name(service.cluster_ip(Family.V6))

    dns.await_records(name, "PTR", {service.dns_name})


@dns_check(
    "DNS-14",
    rests_partly_on=ADDRESS_RECORDS,
    references=[f"{SPEC} section 2.3.2", "RFC 2782"],
)
def test_srv_target_resolves_in_every_family(dns: ClusterDns, services: Services) -> None:
    """The SRV record of a named port leads to a target that has an address of every family."""
    service = services["every"]

    for family in service.families:
        dns.await_records(service.dns_name, family.record_type, {service.cluster_ip(family)})
    records = dns.ask(f"_http._tcp.{service.dns_name}", "SRV")
    wanted = {f"{HTTP} {service.dns_name}"}
    expect_all(
        records,
        lambda record: {_target(data) for data in data_of(record, "SRV")} == wanted,
        expected=f"an SRV record for port and target {listed(wanted)}",
        say=dns.say,
    )


def _target(data: str) -> str:
    """Return port and target of an SRV record; priority and weight are the server's to choose."""
    return data.split(maxsplit=2)[2]
