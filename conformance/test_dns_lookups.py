"""DNS: how applications look names up, with the pod's C library."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ipv6k8s import Record, check, expect, expect_all, remark
from pytest_ipv6k8s.agent.ops import dns_exchange, lookups, tcp_connect
from pytest_ipv6k8s.agent.ports import TCP_PORT
from pytest_ipv6k8s.causes import only, unless
from pytest_ipv6k8s.dns_messages import query, reply
from pytest_ipv6k8s.probe.probes import Probe
from pytest_ipv6k8s.suite import Probes, Service, Services
from pytest_ipv6k8s.suite.dns import ClusterDns, Exchange
from pytest_ipv6k8s.suite.lookups import LIMIT, LookUps, count, expect_found, requests, say
from pytest_ipv6k8s.suite.rates import most_by_chance
from pytest_ipv6k8s.suite.round_trips import connecting, with_round_trips
from pytest_ipv6k8s.suite.seen import all_errors

LOOKUP_LOOK = "kubectl -n kube-system logs -l k8s-app=kube-dns --tail=50"
LOOKUP_CAUSES = (
    "the answer for one record type is lost or late: the resolver waits for both",
    "one of the servers behind the nameserver does not answer (DNS-01)",
    "the resolver of the node does not answer: its search domains are asked there",
)

QUERIES = 12


@check(
    "DNS-16",
    rests_on=["DNS-01"],
    rests_partly_on=["DNS-02", "DNS-03", "DNS-04", "DNS-05"],
    references=["Kubernetes docs: DNS for Services and Pods", "RFC 4074 section 4"],
    causes=[
        only(
            all_errors, "SERVFAIL for a search domain makes resolvers give up before the right name"
        ),
        *(unless(all_errors, cause) for cause in LOOKUP_CAUSES),
    ],
    look=LOOKUP_LOOK,
)
def test_applications_resolve_cluster_names_quickly(
    dns: ClusterDns, probes: Probes, services: Services
) -> None:
    """The C library finds short and full names of a Service within two seconds in every pod.

    Twenty look-ups of each name, none of them repeated: all have to find just the Service's
    addresses, and half have to be in time. The limit is ours; twelve round trips between nodes, as
    many as queries of a name that is searched for in six domains, come on top.
    """
    service = services["every"]
    full = service.dns_name.rstrip(".")
    names = (service.name, f"{service.name}.{service.namespace}", f"{full}", f"{full}.")
    dns.await_records(
        service.dns_name,
        service.families[0].record_type,
        {service.cluster_ip(service.families[0])},
    )

    limit = with_round_trips(LIMIT, connecting(_between_nodes(probes)), QUERIES)
    records = probes.ask_each(lambda _: requests(names, limit))

    expect_found(records, set(service.cluster_ips))
    expect_all(
        _search_answers(dns, probes, service),
        lambda record: _rcode(record) in ("NOERROR", "NXDOMAIN"),
        expected="NOERROR or NXDOMAIN for every search domain",
    )


def _between_nodes(probes: Probes) -> list[Record[tcp_connect.Answer]]:
    nodes = probes.one_per_node
    return probes.from_every_node(
        *(tcp_connect.Request(address, TCP_PORT) for node in nodes for address in node.pod.ips[:1])
    )


def _search_answers(dns: ClusterDns, probes: Probes, service: Service) -> list[Exchange]:
    """Ask every pod's first nameserver for the Service in the cluster's search domains.

    A full name without a final dot has too few of them, and is searched for, too.
    """
    names = (f"{service.name}.{service.namespace}", service.dns_name.rstrip("."))
    return probes.ask_each(
        lambda probe: [
            dns_exchange.Request(
                dns.addresses(probe)[0].address,
                query(f"{name}.{domain}.", family.record_type),
            )
            for name in names
            for domain in dns.states[probe.name].search
            if domain.endswith(service.domain)
            for family in (service.families[0], service.families[0].other)
        ]
    )


def _rcode(record: Exchange) -> str:
    found = reply(record.answer.wire)
    return found.rcode if found else record.answer.error


FIRST, ALL, MORE = 200, 2000, 1000
SLOW_BY_CHANCE = 0.02
TOLERATED = 0.035
SOONEST = 1.0
"""Seconds below which no look-up is slow, however soon the resolver asks again: our limit."""


@check(
    "DNS-17",
    rests_on=["DNS-01"],
    rests_partly_on=["DNS-02", "DNS-04", "DNS-05"],
    references=["RFC 8305 section 3", "RFC 1035 section 7.2"],
    causes=[
        "two queries from one port race for one entry of the connection table, and one is dropped "
        "(conntrack -S counts insert_failed)",
        *LOOKUP_CAUSES,
        "packets are lost on the way to the servers (see ADDR-16)",
    ],
    look="conntrack -S (on the node)",
)
def test_lookups_of_both_families_lose_nothing(
    dns: ClusterDns, probes: Probes, services: Services
) -> None:
    """Of look-ups that ask for A and AAAA at once, at most 3.5 in a hundred lose a query or fail.

    A stub resolver sends both queries from one port and waits for both; one that is lost is sent
    again after five seconds (glibc) or half of that (musl), or when resolv.conf says so. What takes
    as long as the sooner of the two, and at least a second, is slow: it lost a query. What a busy
    server answers before that is not. The limit is ours. 200 look-ups, shared among all pods, end
    the check when at most one is slow; otherwise 2000 are judged together, among which one
    standstill of a node counts little. With one query in a hundred lost, two look-ups in a hundred
    are slow, and fewer than one run in 100,000 is red; with five slow ones in a hundred 999 runs in
    1000 are. A pod that has more slow ones than chance makes of those two asks a thousand more, and
    is judged by itself.
    """
    name = f"kubernetes.default.svc.{services['every'].domain}."
    limit = max(SOONEST, min(dns.second_try(probe) for probe in probes))

    records = _look_up(probes, name, FIRST, limit, timeout=14.0)
    if count([record for record in records if not record.mark.doubted]).slow > 1:
        records += _look_up(probes, name, ALL - FIRST, limit, timeout=24.0)
        worse = [probe for probe in probes if not _tolerable(records, probe)]
        if worse:
            total = MORE * len(worse)
            records += _look_up(probes, name, total, limit, timeout=24.0, among=worse)
    _remark_options(dns)
    seen, worse = count(records), [probe for probe in probes if not _tolerable(records, probe)]

    remark(
        f"{seen.slow} of {seen.asked} look-ups were slow; 99 of 100 within {seen.p99 * 1000:.0f} ms"
    )
    slow = [record for record in records if count([record]).slow]
    expect(
        seen.slow <= TOLERATED * seen.asked and not worse,
        expected=f"at most {TOLERATED:.1%} look-ups of {limit:.1f} s and more, in every pod",
        actual=slow or records,
        say=say,
    )


def _remark_options(dns: ClusterDns) -> None:
    """Tell what keeps a stub resolver from asking for A and AAAA at once (resolv.conf(5))."""
    options = {option for state in dns.states.values() for option in state.options}
    found = sorted(options & {"single-request", "single-request-reopen", "no-aaaa"})
    if found:
        remark(f"not both at once, as resolv.conf has {', '.join(found)}")


def _tolerable(records: Sequence[LookUps], probe: Probe) -> bool:
    """Tell whether a pod has no more slow look-ups than may be, or than chance makes of them."""
    own = count([record for record in records if record.source == probe.name])
    return own.slow <= max(TOLERATED * own.asked, most_by_chance(own.asked, SLOW_BY_CHANCE))


def _look_up(
    probes: Probes,
    name: str,
    total: int,
    limit: float,
    *,
    timeout: float,
    among: Sequence[Probe] | None = None,
) -> list[LookUps]:
    """Share so many look-ups among all pods, or some of them."""
    asked = tuple(probes if among is None else among)
    each = -(-total // len(asked))
    request = lookups.Request(name, each, limit=limit, at_once=16, timeout=timeout)
    return probes.ask_each(lambda _: [request], among=asked)
