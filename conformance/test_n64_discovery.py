"""N64: do pods find the NAT64 prefix, and is it the right one (RFC 7050)?"""

from __future__ import annotations

from functools import partial

from pytest_ipv6k8s import WITH_IPV6, Feature, Level, check, expect, expect_all
from pytest_ipv6k8s.addresses import (
    WELL_KNOWN_ADDRESSES,
    WELL_KNOWN_NAME,
    nat64_prefix_problem,
    nat64_prefixes,
)
from pytest_ipv6k8s.causes import only, unless
from pytest_ipv6k8s.suite import ExternalTargets
from pytest_ipv6k8s.suite.dns import COREDNS_LOOK, ClusterDns, Exchange, data_of, describe
from pytest_ipv6k8s.suite.seen import other_data

DNS64_CAUSES = [
    "the cluster's DNS forwards to a resolver without DNS64",
    "CoreDNS' dns64 plugin is missing, stands in another server block, or has no allow_ipv4 while "
    "pods ask over IPv4",
    "queries for ipv4only.arpa are answered from a zone or a cache without DNS64",
]
NEEDS = (Feature.DNS64,)
n64 = partial(check, stacks=WITH_IPV6, features=NEEDS, look=COREDNS_LOOK)


def _prefixes(record: Exchange, inside: str) -> set[str]:
    found = (nat64_prefixes(address, inside) for address in data_of(record, "AAAA"))
    return {prefix for prefixes in found for prefix in prefixes}


@n64(
    "N64-01",
    rests_on=["DNS-01"],
    rests_partly_on=["DNS-18", "DNS-19"],
    features=[Feature.NAT64, Feature.DNS64],
    references=["RFC 7050 section 3", "RFC 6052 section 2.2"],
    causes=[
        only(other_data, "the DNS64 prefix is not the gateway's"),
        *(unless(other_data, cause) for cause in DNS64_CAUSES),
    ],
)
def test_pods_discover_the_prefix(dns: ClusterDns, external: ExternalTargets) -> None:
    """The AAAA records of ipv4only.arpa yield the NAT64 prefix of the gateway."""
    declared = external.nat64.prefixes[0]

    records = dns.ask(WELL_KNOWN_NAME, "AAAA")

    expect_all(
        records,
        lambda record: declared in _prefixes(record, WELL_KNOWN_ADDRESSES[0]),
        expected=f"AAAA records with {declared}",
        say=describe,
    )


@n64(
    "N64-02",
    rests_on=["DNS-01"],
    rests_partly_on=["N64-01", "DNS-18", "DNS-19"],
    references=["RFC 6052 section 2.2", "RFC 7050 section 3"],
    causes=[
        "the DNS64 is configured with a prefix of a length that RFC 6052 does not know, or with "
        "bits 64 to 71 set",
        *DNS64_CAUSES,
    ],
)
def test_the_discovered_prefix_is_legal(dns: ClusterDns) -> None:
    """The discovered prefix is legal, and both well-known addresses give the same one."""
    records = dns.ask(WELL_KNOWN_NAME, "AAAA")

    expected = "one prefix of a legal length with a u-octet of zero, in both records"
    expect_all(records, _common_legal_prefix, expected=expected, say=describe)


def _common_legal_prefix(record: Exchange) -> bool:
    common = set.intersection(*(_prefixes(record, inside) for inside in WELL_KNOWN_ADDRESSES))
    return any(not nat64_prefix_problem(prefix) for prefix in common)


@n64(
    "N64-03",
    rests_on=["DNS-01"],
    rests_partly_on=["N64-01", "DNS-18", "DNS-19"],
    level=Level.EXTENDED,
    references=["RFC 7050 section 3"],
    causes=[
        "CoreDNS forwards to several resolvers, and not all of them have the same DNS64",
        "CoreDNS pods run with different Corefiles: a roll-out did not end",
    ],
)
def test_every_node_discovers_the_same(dns: ClusterDns) -> None:
    """Every node discovers the same addresses over each DNS address, ten times out of ten."""
    records = dns.ask(WELL_KNOWN_NAME, "AAAA", times=10)

    first = data_of(records[0], "AAAA")
    other = [record for record in records if data_of(record, "AAAA") != first]
    expected = f"always {', '.join(sorted(first)) or 'addresses'}"
    expect(first and not other, expected=expected, actual=other or records[:1], say=describe)


@n64(
    "N64-04",
    rests_partly_on=["DNS-01", "DNS-19"],
    references=["RFC 7050 section 2.2", "RFC 8880 section 7.1"],
    causes=["a resolver rewrites or invents answers for ipv4only.arpa"],
)
def test_the_well_known_name_has_its_ipv4_addresses(dns: ClusterDns) -> None:
    """The A records of ipv4only.arpa are exactly 192.0.0.170 and 192.0.0.171."""
    records = dns.ask(WELL_KNOWN_NAME, "A")

    expect_all(
        records,
        lambda record: data_of(record, "A") == set(WELL_KNOWN_ADDRESSES),
        expected=" and ".join(WELL_KNOWN_ADDRESSES),
        say=describe,
    )
