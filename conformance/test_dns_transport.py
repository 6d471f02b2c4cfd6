"""DNS: how pods reach the cluster's DNS, and how applications look names up."""

from __future__ import annotations

from pytest_ipv6k8s import Family, Feature, check, eventually, expect_all
from pytest_ipv6k8s.agent.ops import dns_exchange, lookup, network_state
from pytest_ipv6k8s.dns_messages import query, reply
from pytest_ipv6k8s.suite import ClusterView, Probes, Service, Services
from pytest_ipv6k8s.suite.dns import Exchange

DNS_LOOK = "kubectl -n kube-system get pods,service,endpointslices -l k8s-app=kube-dns -o wide"
DNS_CAUSES = (
    "CoreDNS does not run, or listens on one family only (bind, hostNetwork)",
    "the Service proxy has no rules for the DNS Service's address on that node",
    "the way to the CoreDNS pods' node is broken (see ADDR-16)",
)
LONGEST = 2.0


def _expect_answers(
    cluster: ClusterView, probes: Probes, services: Services, transport: str
) -> None:
    wire, servers = _query_of(services["every"]), cluster.dns.cluster_ips

    eventually(
        lambda: probes.ask_each(
            lambda _: [dns_exchange.Request(a, wire, transport=transport) for a in servers]
        ),
        _has_answers,
        expected=f"an answer over {transport.upper()} from each DNS cluster IP in every pod",
    )


def _query_of(service: Service) -> str:
    return query(service.dns_name, service.families[0].record_type)


def _has_answers(record: Exchange) -> bool:
    found = reply(record.answer.wire)
    return found is not None and found.rcode == "NOERROR" and bool(found.records)


@check(
    "DNS-01",
    features=[Feature.CLUSTER_DNS],
    references=["Kubernetes docs: DNS for Services and Pods"],
    causes=DNS_CAUSES,
    look=DNS_LOOK,
)
def test_cluster_dns_answers_over_udp(
    cluster: ClusterView, probes: Probes, services: Services
) -> None:
    """Each cluster IP of the DNS Service answers over UDP in every pod."""
    _expect_answers(cluster, probes, services, "udp")


@check(
    "DNS-02",
    features=[Feature.CLUSTER_DNS],
    references=["RFC 7766 section 5"],
    causes=("the DNS Service or a policy opens port 53 for UDP only", *DNS_CAUSES),
    look=DNS_LOOK,
)
def test_cluster_dns_answers_over_tcp(
    cluster: ClusterView, probes: Probes, services: Services
) -> None:
    """Each cluster IP of the DNS Service answers over TCP in every pod."""
    _expect_answers(cluster, probes, services, "tcp")


@check(
    "DNS-03",
    references=["Kubernetes docs: DNS for Services and Pods, resolv.conf"],
    causes=[
        "the kubelet's clusterDNS names an address of a family that the pods lack",
        "the kubelet's clusterDNS names an address where no DNS Service is",
        *DNS_CAUSES,
    ],
    look="kubectl -n kube-system get configmap kubelet-config -o yaml",
)
def test_resolv_conf_can_be_used(probes: Probes, services: Services) -> None:
    """Every nameserver in resolv.conf answers in a family that the pod has; search is complete."""
    service = services["every"]
    wire = _query_of(service)
    records = probes.ask_each(lambda _: [network_state.Request()])
    states = {record.source: record.answer for record in records}

    expect_all(
        records,
        lambda r: all(probes.named(r.source).has(Family.of(a)) for a in r.answer.nameservers),
        expected="nameservers of the pod's own families",
        say=lambda r: (
            f"pod {r.source}: nameservers {', '.join(r.answer.nameservers)}, "
            f"podIPs {probes.named(r.source).pod.ips}"
        ),
    )
    domain = service.domain
    search = (f"{service.namespace}.svc.{domain}", f"svc.{domain}", domain)
    expect_all(
        records,
        lambda r: r.answer.search[:3] == search and "ndots:5" in r.answer.options,
        expected=f"search {' '.join(search)}, ndots:5",
        say=lambda r: f"pod {r.source}: search {r.answer.search}, options {r.answer.options}",
    )
    eventually(
        lambda: probes.ask_each(
            lambda probe: [
                dns_exchange.Request(server, wire) for server in states[probe.name].nameservers
            ]
        ),
        _has_answers,
        expected="an answer from every nameserver in every pod",
    )


@check(
    "DNS-16",
    references=["Kubernetes docs: DNS for Services and Pods", "RFC 4074 section 4"],
    causes=[
        "the answer for one record type is lost or late: the resolver waits for both",
        "SERVFAIL for a search domain makes resolvers give up before the right name",
        *DNS_CAUSES,
    ],
    look="kubectl -n kube-system logs -l k8s-app=kube-dns --tail=50",
)
def test_applications_resolve_cluster_names_quickly(probes: Probes, services: Services) -> None:
    """The C library finds short and full names of a Service within two seconds in every pod."""
    service = services["every"]
    full = service.dns_name.rstrip(".")
    names = (service.name, f"{service.name}.{service.namespace}", f"{full}", f"{full}.")

    eventually(
        lambda: probes.ask_each(lambda _: [lookup.Request(name) for name in names]),
        lambda record: (
            set(record.answer.addresses) == set(service.cluster_ips)
            and record.answer.seconds < LONGEST
        ),
        expected=f"{', '.join(service.cluster_ips)} in less than {LONGEST:.0f} s",
    )

    states = probes.ask_each(lambda probe: [network_state.Request()])
    searched = _search_answers(probes, {r.source: r.answer for r in states}, service)
    expect_all(
        searched,
        lambda record: _rcode(record) in ("NOERROR", "NXDOMAIN"),
        expected="NOERROR or NXDOMAIN for every search domain",
    )


def _search_answers(
    probes: Probes, states: dict[str, network_state.Answer], service: Service
) -> list[Exchange]:
    """Ask every pod's first nameserver for the Service in the cluster's search domains."""
    return probes.ask_each(
        lambda probe: [
            dns_exchange.Request(
                states[probe.name].nameservers[0],
                query(f"{service.name}.{service.namespace}.{domain}.", family.record_type),
            )
            for domain in states[probe.name].search
            if domain.endswith(service.domain)
            for family in Family
        ]
    )


def _rcode(record: Exchange) -> str:
    found = reply(record.answer.wire)
    return found.rcode if found else record.answer.error
