"""DNS: names outside the cluster, and the resolvers that CoreDNS asks for them."""

from __future__ import annotations

from pytest_ipv6k8s import WITH_IPV6, Family, Feature, check, eventually, expect, expect_all
from pytest_ipv6k8s.agent.ops import dns_exchange, lookup, network_state
from pytest_ipv6k8s.dns_messages import query
from pytest_ipv6k8s.suite import ClusterView, ExternalTargets, Probes
from pytest_ipv6k8s.suite.dns import (
    COREDNS_LOOK,
    ClusterDns,
    answered,
    data_of,
    describe,
    pods_behind,
)

UPSTREAM_CAUSES = [
    "CoreDNS forwards to an address of a family that its pods do not have: an IPv4 nameserver in "
    "the node's resolv.conf, on an IPv6-only cluster",
    "CoreDNS forwards to a loopback address of the node (systemd-resolved), which is its own in "
    "the pod",
    "the CNI does not let CoreDNS out (EGR-01)",
]
LONGEST = 2.0


@check(
    "DNS-18",
    stacks=WITH_IPV6,
    features=[Feature.CLUSTER_DNS, Feature.IPV6_TARGET_NAME],
    references=["RFC 3596 section 2", "RFC 1035 section 4.3"],
    causes=UPSTREAM_CAUSES,
    look=COREDNS_LOOK,
)
def test_external_aaaa_records_are_found(
    cluster: ClusterView, probes: Probes, external: ExternalTargets
) -> None:
    """The AAAA record of a name outside the cluster is found, also by getaddrinfo, within 2 s."""
    target = external.ipv6_target_with("name")
    wanted = {target.address(Family.V6)}
    request = dns_exchange.Request(cluster.dns.cluster_ips[0], query(target.name, "AAAA"))

    records = eventually(
        lambda: probes.from_every_node(request),
        lambda record: data_of(record, "AAAA") == wanted,
        expected=f"{target.name} AAAA is {', '.join(wanted)}",
    )
    looked_up = probes.from_every_node(lookup.Request(target.name.rstrip(".")))

    expect(records, expected="an answer", actual=records, say=describe)
    expect_all(
        looked_up,
        lambda record: wanted <= set(record.answer.addresses) and record.seconds <= LONGEST,
        expected=f"{', '.join(wanted)} in less than {LONGEST:.0f} s",
    )


@check(
    "DNS-19",
    stacks=WITH_IPV6,
    features=[Feature.CLUSTER_DNS, Feature.ZONE, Feature.HOST_NETWORK_PROBES],
    references=["CoreDNS documentation: the forward plugin", "RFC 3901 section 3"],
    causes=UPSTREAM_CAUSES,
    look=COREDNS_LOOK,
)
def test_upstream_resolvers_can_be_reached(
    cluster: ClusterView, dns: ClusterDns, probes: Probes, external: ExternalTargets
) -> None:
    """Every resolver to which CoreDNS forwards has a family of its pods, and answers a pod."""
    upstreams = set(cluster.dns_upstreams())
    if any(upstream.startswith("/") for upstream in upstreams):
        states = probes.ask_each(lambda _: [network_state.Request()], among=probes.hosts)
        upstreams = {server for state in states for server in state.answer.nameservers}
    servers = sorted(_address(name) for name in upstreams if not name.startswith("/"))
    families = {Family.of(ip) for pod in pods_behind(cluster) for ip in pod.ips}

    expect(servers, expected="a resolver to forward to", actual=list(upstreams))
    expect_all(
        servers,
        lambda server: Family.of(server) in families,
        expected="resolvers of a family that CoreDNS' pods have",
    )
    records = dns.ask_once(f"v6.{external.network.zone}.", "AAAA", servers=servers)
    expect_all(records, answered, expected="an answer from every resolver", say=describe)


def _address(server: str) -> str:
    """Return the address in a resolver's name: ``tls://[2001:db8::1]:853``."""
    text = server.rpartition("://")[2]
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
