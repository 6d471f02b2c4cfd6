"""N64: what DNS64 makes of names, and what it leaves alone (RFC 6147)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import partial

from pytest_ipv6k8s import DUAL_STACK, WITH_IPV6, Family, Feature, Level, check, expect, expect_all
from pytest_ipv6k8s.addresses import reverse_name
from pytest_ipv6k8s.causes import only, unless
from pytest_ipv6k8s.checks import FamiliesOf
from pytest_ipv6k8s.errors import NothingToJudge
from pytest_ipv6k8s.suite import ExternalTargets, Services
from pytest_ipv6k8s.suite.dns import (
    COREDNS_LOOK,
    ClusterDns,
    Exchange,
    data_of,
    describe,
    expect_data,
    reply_of,
)
from pytest_ipv6k8s.suite.seen import other_data
from pytest_ipv6k8s.words import listed

NEEDS = (Feature.NAT64, Feature.DNS64, Feature.ZONE)
SHORT_TTL, LONG_TTL, NO_SOA_TTL = 30, 3600, 600
n64 = partial(check, stacks=WITH_IPV6, features=NEEDS, look=COREDNS_LOOK)
PASSED_ON = "the resolver answers in the name's place: a template, a wildcard, a search-domain page"


def _name(external: ExternalTargets, label: str) -> str:
    return f"{label}.{external.network.zone}."


def _addresses(dns: ClusterDns, external: ExternalTargets, label: str) -> set[str]:
    """Return the A records of a name, which synthesis has to start from."""
    records = dns.ask(_name(external, label), "A")
    return data_of(records[0], "A")


@n64(
    "N64-05",
    rests_on=["DNS-01"],
    rests_partly_on=["N64-01", "DNS-18", "DNS-19"],
    references=["RFC 6147 section 5.1.7", "RFC 6052 section 2.3"],
    causes=[
        unless(
            other_data, "the cluster's DNS has no DNS64, or forwards past the resolver that has it"
        ),
        only(other_data, "the DNS64 prefix is not the gateway's"),
    ],
)
def test_ipv4_only_names_get_aaaa_records(dns: ClusterDns, external: ExternalTargets) -> None:
    """A name with A records only gets one AAAA record for each, with the gateway's prefix."""
    wanted = {external.synthetic(ipv4) for ipv4 in _addresses(dns, external, "two")}

    records = dns.ask(_name(external, "two"), "AAAA")

    expect(len(wanted) == 2, expected="two A records to start from", actual=records, say=describe)
    expect_data(records, "AAAA", wanted, "an AAAA record for each A record")


@n64(
    "N64-06",
    rests_on=["DNS-01"],
    rests_partly_on=["DNS-18", "DNS-19"],
    features=[*NEEDS, Feature.DUAL_TARGET],
    references=["RFC 6147 section 5.1.1"],
    causes=[
        "CoreDNS' dns64 has translate_all",
        "the resolver is told to ignore real AAAA records (BIND: exclude; unbound: "
        "dns64-ignore-aaaa)",
    ],
)
def test_native_aaaa_records_are_left_alone(dns: ClusterDns, external: ExternalTargets) -> None:
    """A name with a real AAAA record keeps it, and nothing is mixed in."""
    native = {external.address("dual", Family.V6)}

    dns.expect(_name(external, "dual"), "AAAA", native, "the real record alone")


@n64(
    "N64-07",
    rests_on=["DNS-01"],
    rests_partly_on=["DNS-18", "DNS-19"],
    references=["RFC 6147 sections 5.1.2 and 5.1.6"],
    causes=[PASSED_ON, "the DNS64 synthesises without an A record to start from"],
)
def test_missing_names_stay_missing(dns: ClusterDns, external: ExternalTargets) -> None:
    """NXDOMAIN is passed on, and a name without addresses gets NOERROR without data.

    RFC 6147 also wants a SERVFAIL for AAAA to be treated as an empty answer. BIND 9.18 passes the
    SERVFAIL on, CoreDNS' dns64 does as the RFC says: the answer is recorded and not judged.
    """
    missing = dns.ask(_name(external, "nothing"), "AAAA")
    empty = dns.ask(_name(external, "text"), "AAAA")
    dns.ask(_name(external, "servfail"), "AAAA")

    expect_all(
        missing,
        lambda record: reply_of(record).rcode == "NXDOMAIN",
        expected="NXDOMAIN for a name that is not there",
        say=describe,
    )
    expect_all(empty, _is_empty, expected="NOERROR and no data for a TXT-only name", say=describe)


def _is_empty(record: Exchange) -> bool:
    return reply_of(record).rcode == "NOERROR" and not reply_of(record).records


@n64(
    "N64-08",
    rests_on=["DNS-01"],
    rests_partly_on=["DNS-18", "DNS-19"],
    level=Level.INFORMATIONAL,
    references=["RFC 6147 section 5.1.4"],
    causes=["CoreDNS' dns64 knows no exclusion: any AAAA record keeps it from synthesising"],
)
def test_mapped_addresses_count_as_none(dns: ClusterDns, external: ExternalTargets) -> None:
    """AAAA records in ::ffff:0:0/96 count as none, and the name is synthesised."""
    wanted = {external.synthetic(ipv4) for ipv4 in _addresses(dns, external, "mapped")}

    dns.expect(_name(external, "mapped"), "AAAA", wanted, "synthesised records")


@n64(
    "N64-09",
    rests_on=["DNS-01"],
    rests_partly_on=["N64-01", "DNS-18", "DNS-19"],
    level=Level.EXTENDED,
    references=["RFC 6147 section 5.1.7"],
    causes=["the DNS64 gives synthesised records a time to live of its own"],
)
def test_synthesised_records_do_not_outlive_their_source(
    dns: ClusterDns, external: ExternalTargets
) -> None:
    """A synthesised record lives no longer than its A record and its zone's SOA, or 600 s."""
    soa = _soa_ttl(dns, external)
    for label, source in (("short", SHORT_TTL), ("long", LONG_TTL)):
        name, longest = _name(external, label), min(source, soa)
        _expect_ttl(dns.ask(name, "AAAA"), longest, name)


def _soa_ttl(dns: ClusterDns, external: ExternalTargets) -> int:
    """Return how long the SOA lives that comes with negative answers; 600 s when none does.

    A cache on the way shortens it, so the longest that is seen counts, and the names are new.
    """
    negative = dns.ask(_name(external, f"ipv6k8s-{secrets.token_hex(6)}"), "AAAA")
    lives = [ttl for ttl in (reply_of(record).soa_ttl for record in negative) if ttl is not None]
    if not lives:
        return NO_SOA_TTL
    positive = dns.ask(f"{external.network.zone}.", "SOA")
    return max([*lives, *(ttl for record in positive for ttl in reply_of(record).ttls)])


def _expect_ttl(records: Sequence[Exchange], longest: int, name: str) -> None:
    expect_all(
        records,
        lambda record: max(reply_of(record).ttls, default=longest + 1) <= longest,
        expected=f"a time to live of at most {longest} s for {name}",
        say=_with_ttl,
    )


def _with_ttl(record: Exchange) -> str:
    return f"{describe(record)}, TTL {listed(reply_of(record).ttls)}"


@n64(
    "N64-10",
    rests_on=["DNS-01"],
    rests_partly_on=["N64-01", "DNS-18", "DNS-19"],
    level=Level.EXTENDED,
    features=[*NEEDS, Feature.IPV4_TARGET],
    references=["RFC 6147 section 5.1.5"],
    causes=["the DNS64 drops the chain, or synthesises for the first name only"],
)
def test_alias_chains_are_kept(dns: ClusterDns, external: ExternalTargets) -> None:
    """A chain of CNAME records is kept, and its end is synthesised."""
    wanted = {external.synthetic(external.address("v4", Family.V4))}

    records = dns.ask(_name(external, "alias"), "AAAA")

    chain = {_name(external, "chain"), _name(external, "v4")}
    expect_all(
        records,
        lambda record: data_of(record, "CNAME") == chain,
        expected=f"CNAME records to {listed(sorted(chain))}",
        say=describe,
    )
    expect_data(records, "AAAA", wanted, "a synthesised record at the end of the chain")


@n64(
    "N64-11",
    rests_on=["DNS-01"],
    rests_partly_on=["N64-01", "DNS-18", "DNS-19"],
    level=Level.EXTENDED,
    features=[*NEEDS, Feature.IPV4_TARGET],
    references=["RFC 6147 section 5.3.1"],
    causes=[
        "CoreDNS' dns64 answers no reverse queries",
        "the resolver knows no reverse zone for the prefix",
    ],
)
def test_synthetic_addresses_have_names(dns: ClusterDns, external: ExternalTargets) -> None:
    """The PTR record of a synthetic address is that of the IPv4 address inside."""
    ipv4 = external.address("v4", Family.V4)

    name = reverse_name(external.synthetic(ipv4))
    dns.expect(name, "PTR", {_name(external, "v4")}, "the name of the IPv4 address")


@n64(
    "N64-12",
    rests_on=["DNS-01"],
    rests_partly_on=["DNS-18", "DNS-19"],
    level=Level.INFORMATIONAL,
    references=["RFC 6147 section 5.5"],
    causes=["the DNS64, or a cache before it, does not heed the bits DO and CD"],
)
def test_validating_clients_get_no_synthesis(dns: ClusterDns, external: ExternalTargets) -> None:
    """A client that validates itself (DO and CD set) gets no synthesised records."""
    records = dns.ask(_name(external, "two"), "AAAA", validating=True)

    expect_data(records, "AAAA", set(), "no AAAA record")


@n64(
    "N64-13",
    rests_on=["DNS-01"],
    features=[Feature.NAT64, Feature.DNS64],
    families_of=FamiliesOf.SERVICES,
    references=["RFC 6147 section 5.1.1", "CoreDNS documentation: the dns64 plugin, translate_all"],
    causes=[
        "CoreDNS' dns64 has translate_all, which replaces the cluster's own records",
        "dns64 stands in the server block of the cluster's domain, and synthesises for Services "
        "of IPv4 only",
    ],
)
def test_names_of_the_cluster_are_not_synthesised(dns: ClusterDns, services: Services) -> None:
    """Names of Services have their own records only, whatever DNS64 does outside."""
    own = services["every"]

    dns.expect(own.dns_name, "AAAA", {own.cluster_ip(Family.V6)}, "the cluster IP alone")
    if "only-ipv4" in services:
        name = services["only-ipv4"].dns_name
        dns.expect(name, "AAAA", set(), "no AAAA record for a Service of IPv4 only")


@n64(
    "N64-29",
    rests_on=["DNS-01"],
    rests_partly_on=["N64-01", "DNS-18", "DNS-19"],
    level=Level.EXTENDED,
    stacks=DUAL_STACK,
    references=["CoreDNS documentation: the dns64 plugin, allow_ipv4"],
    causes=["CoreDNS' dns64 synthesises only for queries over IPv6: allow_ipv4 is missing"],
)
def test_synthesis_does_not_depend_on_the_transport(
    dns: ClusterDns, external: ExternalTargets
) -> None:
    """Every address of the cluster's DNS synthesises, the IPv4 one too."""
    wanted = {external.synthetic(ipv4) for ipv4 in _addresses(dns, external, "two")}

    records = dns.ask(_name(external, "two"), "AAAA")

    families = {Family.of(record.request["server"]) for record in records}
    if len(families) < 2:
        only = listed(sorted(family.value for family in families))
        raise NothingToJudge(f"the cluster's DNS has addresses of {only} alone")
    expect_data(records, "AAAA", wanted, "synthesised records from each address")
