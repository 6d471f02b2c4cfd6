"""DNS: names outside the cluster, and the resolvers that CoreDNS asks for them."""

from __future__ import annotations

import secrets

from pytest_ipv6k8s import WITH_IPV6, Beside, Family, Feature, check
from pytest_ipv6k8s.causes import either, only, told, unless
from pytest_ipv6k8s.suite import ClusterView, ExternalTargets, Probes
from pytest_ipv6k8s.suite.dns import COREDNS_LOOK, ClusterDns, data_of, is_settled
from pytest_ipv6k8s.suite.lookups import expect_found, requests
from pytest_ipv6k8s.suite.rates import TRIES
from pytest_ipv6k8s.suite.seen import no_data, other_data
from pytest_ipv6k8s.suite.upstreams import expect_upstreams

UPSTREAM_CAUSES = [
    "CoreDNS forwards to an address of a family that its pods do not have: an IPv4 nameserver in "
    "the node's resolv.conf, on an IPv6-only cluster",
    "CoreDNS forwards to a loopback address of the node (systemd-resolved), which is its own in "
    "the pod",
    "the CNI does not let CoreDNS out (EGR-01)",
]


@check(
    "DNS-18",
    rests_on=["DNS-01"],
    rests_partly_on=["DNS-19"],
    stacks=WITH_IPV6,
    features=[Feature.IPV6_TARGET_NAME],
    references=["RFC 3596 section 2", "RFC 1035 section 4.3"],
    causes=[
        only(
            no_data,
            "a hosts or template block of the Corefile answers for the name, without its AAAA "
            "record",
        ),
        only(
            other_data,
            "DNS64 is told to ignore real AAAA records, and answers with addresses of its own "
            "(N64-06)",
        ),
        *(unless(either(no_data, other_data), cause) for cause in UPSTREAM_CAUSES),
    ],
    look=COREDNS_LOOK,
)
def test_external_aaaa_records_are_found(
    dns: ClusterDns, probes: Probes, external: ExternalTargets
) -> None:
    """The AAAA record of a name outside the cluster is found, also by getaddrinfo, within 2 s."""
    target = external.ipv6_target_with("name")
    wanted = {target.address(Family.V6)}

    records = dns.measure([target.name], "AAAA", "udp")
    looked_up = probes.from_every_node(*requests([target.name.rstrip(".")]))

    dns.expect_measured(
        records,
        f"{target.name} AAAA is {', '.join(wanted)}",
        lambda record: data_of(record, "AAAA") == wanted,
    )
    expect_found(looked_up, wanted, exactly=False)


@check(
    "DNS-19",
    beside=[Beside.HOSTS],
    rests_on=["DNS-01"],
    rests_partly_on=["EGR-01"],
    stacks=WITH_IPV6,
    features=[Feature.ZONE],
    references=["CoreDNS documentation: the forward plugin", "RFC 3901 section 3"],
    causes=[
        only(
            told("answers no pod"), "one of the resolvers that CoreDNS forwards to does not answer"
        ),
        *UPSTREAM_CAUSES,
    ],
    look=COREDNS_LOOK,
)
def test_upstream_resolvers_can_be_reached(
    cluster: ClusterView, dns: ClusterDns, probes: Probes, external: ExternalTargets
) -> None:
    """Each DNS server gets answers from outside for names that no cache has; no resolver is dead.

    Names that nobody has asked for go through each server in turn, wherever that may forward. The
    resolvers in the Corefile, or in the nodes' resolv.conf, are asked as well, on their own port
    and transport, and judged where pods may ask one of them themselves.
    """
    zone = external.network.zone
    names = [f"ipv6k8s-{secrets.token_hex(6)}.{zone}." for _ in range(TRIES)]

    records = dns.measure(names, "AAAA", "udp", patience=5.0)

    expected = "NXDOMAIN or NOERROR from outside"
    dns.expect_measured(records, expected, is_settled)
    expect_upstreams(cluster, dns, probes, f"v6.{zone}.")
