"""DNS: how pods reach their nameservers, and the servers behind these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_ipv6k8s import Family, check, expect_all, remark
from pytest_ipv6k8s.agent.ops import network_state
from pytest_ipv6k8s.causes import Cause, Seen, either, only, told
from pytest_ipv6k8s.suite import ClusterView, Probes, Service, Services
from pytest_ipv6k8s.suite.dns import ClusterDns
from pytest_ipv6k8s.suite.seen import all_errors, in_part, servers_answer, silent, some_reply
from pytest_ipv6k8s.suite.upstreams import configuration
from pytest_ipv6k8s.words import finding, listed

DNS_LOOK = "kubectl get pods,services,endpointslices -A -l k8s-app=kube-dns -o wide"
NOT_THERE = told("no Service has")
DNS_CAUSES = (
    only(
        all_errors,
        "the servers answer with an error: a plugin before `kubernetes`, or no way to the API "
        "server",
    ),
    only(NOT_THERE, "the kubelet's clusterDNS names an address where no DNS Service is"),
    Cause(
        "the Service proxy has no rules for the DNS Service's address on that node",
        shown=servers_answer,
        excluded=either(some_reply, NOT_THERE),
    ),
    Cause(
        "the way to one server's node is broken (see ADDR-16), or that server hangs",
        shown=in_part,
        excluded=either(some_reply, servers_answer),
    ),
    Cause(
        "a packet filter or a policy drops queries to port 53 from that node",
        shown=silent,
        excluded=either(some_reply, servers_answer, in_part),
    ),
)


def _expect_answers(dns: ClusterDns, services: Services, transport: str) -> None:
    service = services["every"]
    name = f"kubernetes.default.svc.{service.domain}."
    records = dns.measure([name], service.families[0].record_type, transport)
    expected = f"an answer over {transport.upper()} from each nameserver and each server behind it"
    dns.expect_measured(records, expected)


def _selects_nobody(seen: Seen) -> bool:
    """Hold where a Service has no endpoint although no workload lacks a pod."""
    return told(r" has 0 of 0 \S+ endpoints")(seen) and not told("replicas ready")(seen)


@check(
    "DNS-01",
    rests_partly_on=["DNS-03", "SVC-01", "SVC-02", "ADDR-16"],
    references=["Kubernetes docs: DNS for Services and Pods"],
    causes=[
        only(
            _selects_nobody,
            "the DNS Service selects no pod: its selector and the labels of CoreDNS' pods differ",
        ),
        Cause(
            "CoreDNS does not run, or listens on one family only (bind, hostNetwork)",
            shown=told(r"replicas ready|endpoints ready"),
            excluded=either(some_reply, _selects_nobody, lambda seen: bool(seen.good)),
        ),
        *DNS_CAUSES,
    ],
    look=DNS_LOOK,
)
def test_cluster_dns_answers_over_udp(
    cluster: ClusterView, dns: ClusterDns, services: Services
) -> None:
    """Each nameserver of the pods, and each server behind it, answers over UDP in every pod.

    Every address is asked ten times from ports of its own and without a retry; seven answers are
    enough. The limit is ours. A Corefile that does not parse is told: it breaks the next start.
    """
    configuration(cluster)
    _expect_answers(dns, services, "udp")


@check(
    "DNS-02",
    rests_partly_on=["DNS-01"],
    references=["RFC 7766 section 5"],
    causes=("the DNS Service or a policy opens port 53 for UDP only", *DNS_CAUSES),
    look=DNS_LOOK,
)
def test_cluster_dns_answers_over_tcp(dns: ClusterDns, services: Services) -> None:
    """Each nameserver of the pods, and each server behind it, answers over TCP in every pod.

    Every address is asked ten times from ports of its own; seven answers are enough. The limit is
    ours.
    """
    _expect_answers(dns, services, "tcp")


@check(
    "DNS-03",
    references=["Kubernetes docs: DNS for Services and Pods, resolv.conf"],
    causes=[
        only(
            told("nameservers .*podIPs"),
            "the kubelet's clusterDNS names an address of a family that the pods lack",
        ),
        only(told(": search "), "the kubelet's clusterDomain is not the cluster's"),
        "the kubelet has no clusterDNS, so pods get the node's resolv.conf",
    ],
    look="kubectl -n kube-system get configmap kubelet-config -o yaml",
)
def test_resolv_conf_can_be_used(cluster: ClusterView, probes: Probes, services: Services) -> None:
    """Every nameserver in resolv.conf is of a family that the pod has, and search is complete.

    Whether they answer is DNS-01.
    Search domains and ndots are those of the pod as it was admitted: a webhook may set them in
    spec.dnsConfig, which the kubelet puts over its own (kubernetes/kubernetes:
    pkg/kubelet/network/dns/dns.go).
    """
    records = probes.ask_each(lambda _: [network_state.Request()])
    admitted = {p.name: cluster.dns_of_pod(p.pod.namespace, p.name) for p in probes}

    expect_all(
        records,
        lambda r: (
            r.answer.nameservers
            and all(probes.named(r.source).has(Family.of(a)) for a in r.answer.nameservers)
        ),
        expected="nameservers of the pod's own families",
        say=lambda r: (
            f"pod {r.source}: nameservers {', '.join(r.answer.nameservers) or 'none'}, "
            f"podIPs {listed(probes.named(r.source).pod.ips)}"
        ),
    )
    wanted = {name: _wanted(services["every"], spec) for name, spec in admitted.items()}
    expect_all(
        records,
        lambda r: _is_complete(r.answer, *wanted[r.source]),
        expected="the search domains and ndots of the pod as it was admitted",
        say=lambda r: (
            f"pod {r.source}: search {listed(r.answer.search)}, "
            f"options {listed(r.answer.options)}, "
            f"wanted {' and '.join(map(finding, wanted[r.source]))}"
        ),
    )


def _wanted(service: Service, spec: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    """Return the first search domains and the option that a pod's resolv.conf has to have."""
    policy, config = spec.get("dnsPolicy") or "ClusterFirst", spec.get("dnsConfig") or {}
    if config or policy != "ClusterFirst":
        remark(f"pods were admitted with dnsPolicy {policy} and dnsConfig {config or 'none'}")
    options = {one["name"]: one.get("value", "") for one in config.get("options") or ()}
    if policy in ("Default", "None"):
        ndots = f"ndots:{options['ndots']}" if "ndots" in options else ""
        return tuple(config.get("searches") or ()) if policy == "None" else (), ndots
    domain = service.domain
    search = (f"{service.namespace}.svc.{domain}", f"svc.{domain}", domain)
    return search, f"ndots:{options.get('ndots', 5)}"


def _is_complete(state: network_state.Answer, search: tuple[str, ...], ndots: str) -> bool:
    return state.search[: len(search)] == search and (not ndots or ndots in state.options)
