"""In a broken world the right cause is the first, and what the evidence rules out is not told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_ipv6k8s import catalogue
from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.agent.ops import dns_exchange
from pytest_ipv6k8s.agent.ops.network_state import Address, Neighbour
from pytest_ipv6k8s.causes import Seen, likely
from pytest_ipv6k8s.probe.probes import ProbePod
from pytest_ipv6k8s.verdicts import Verdict
from tests.checks.breaking import Break, answers, dns_says, objects, state
from tests.checks.broken_cluster import _dead, _endpoints
from tests.checks.lossy import timed_out
from tests.checks.world import World, record_check

V6 = Family.V6
DROPPED: dict[str, Any] = {"connected": False, "error": "ETIMEDOUT"}
TIMEOUT = dns_exchange.Answer(error="ETIMEDOUT")


def _through_service(world: World, *, itself: bool, nodes: tuple[str, ...]) -> None:
    """Lose what pods of some nodes send to the peer's Service, and maybe to the peer itself."""
    peer = world.pods[-1]
    lost = {*world.services["peer"].cluster_ips, *(peer.ips if itself else ())}

    def connect(pod: ProbePod, request: Any, answer: Any) -> Any:
        return timed_out(answer) if pod.node in nodes and request.address in lost else answer

    def exchange(pod: ProbePod, request: Any, answer: Any) -> Any:
        dead = pod.node in nodes and request.address in lost
        return replace(answer, echoed=0, pod="", error="ETIMEDOUT") if dead else answer

    world.override("tcp_connect", connect)
    world.override("udp_exchange", exchange)


def _no_rules(world: World) -> None:
    _through_service(world, itself=False, nodes=("node-1",))


def _stopped(world: World) -> None:
    _no_rules(world)
    answers("http_get", status=0, error="ETIMEDOUT")(world)


def _no_way(world: World) -> None:
    _through_service(world, itself=True, nodes=("node-1",))


def _no_way_from_nodes(world: World) -> None:
    def connect(pod: ProbePod, request: Any, answer: Any) -> Any:
        return timed_out(answer) if pod.host_network else answer

    world.override("tcp_connect", connect)


def _not_filtered(world: World) -> None:
    _through_service(world, itself=False, nodes=("node-0",))
    switches = {"net.bridge.bridge-nf-call-ip6tables": "0"}
    world.override("network_state", lambda pod, request, answer: replace(answer, switches=switches))


def _of_node_1(pod: ProbePod, _: Any) -> bool:
    return pod.node == "node-1"


def _dead_between_nodes(**how: Any) -> Break:
    """Lose what pods of one node send to others, over TCP and UDP."""

    def break_it(world: World) -> None:
        answers("tcp_connect", _of_node_1, connected=False, echoed=False, **how)(world)
        answers("udp_listen", received=())(world)

    return break_it


def _one_pod_silent(world: World) -> None:
    """Lose what others send to one of two pods of a node."""
    shut = {*world.pods[0].ips}

    def connect(pod: ProbePod, request: Any, answer: Any) -> Any:
        return timed_out(answer) if request.address in shut else answer

    world.override("tcp_connect", connect)


def _does_not_forward(world: World) -> None:
    _dead_between_nodes(error="ETIMEDOUT")(world)
    switches = {"net.ipv6.conf.all.forwarding": "0"}
    world.override("network_state", lambda pod, request, answer: replace(answer, switches=switches))


def _no_route(world: World) -> None:
    _dead_between_nodes(error="ETIMEDOUT")(world)
    answers("route_to", default=True)(world)


def _dns_dead_at(*, service: bool, of: str) -> Break:
    """Leave queries of some pods without an answer: at the Service's address, or everywhere."""

    def break_it(world: World) -> None:
        def exchange(pod: ProbePod, request: Any, honest: Any) -> Any:
            at_service = request.server in world.dns_addresses
            return TIMEOUT if pod.name.startswith(of) and (at_service or not service) else honest

        world.override("dns_exchange", exchange)

    return break_it


def _no_errors(world: World) -> None:
    answers("tcp_connect", lambda p, r: r.timeout == 2.0, **DROPPED)(world)
    answers("hop_limit", icmp_type=-1, offender="", error="ETIMEDOUT")(world)


SILENT = answers("tcp_connect", _of_node_1, connected=False, echoed=False, error="ETIMEDOUT")
ASTRAY = _dead_between_nodes(error="EHOSTUNREACH")
CASES: dict[str, tuple[str, Break, str, str]] = {
    "no loopback": ("ADDR-13", answers("loopback", works=False), "does not bring up lo", "sysctl"),
    "no ::1": (
        "ADDR-13",
        answers("loopback", lambda p, r: r.address == "::1", works=False),
        "disable_ipv6 is 1",
        "bring up lo",
    ),
    "one more address": (
        "ADDR-03",
        state(
            lambda s: {"addresses": (*s.addresses, Address("eth0", "2001:db8::7", 64, "global"))}
        ),
        "SLAAC",
        "the CNI reports other addresses",
    ),
    "no address": (
        "ADDR-03",
        state(lambda s: {"addresses": s.addresses[:1]}),
        "the CNI reports other addresses",
        "SLAAC",
    ),
    "next hop failed": (
        "ADDR-05",
        state(lambda s: {"neighbours": (Neighbour("fe80::1", "eth0", "FAILED"),)}),
        "the gateway's address",
        "sets no IPv6 default route",
    ),
    "a CLAT": (
        "ADDR-06",
        state(lambda s: {"addresses": (*s.addresses, Address("eth0", "192.0.0.1", 29, "global"))}),
        "464XLAT",
        "IPv4 pool",
    ),
    "silence by TCP alone": ("ADDR-16", SILENT, "security group, firewall", "the route to"),
    "a route astray": (
        "ADDR-16",
        ASTRAY,
        "the route to the other node's podCIDR",
        "has forwarding",
    ),
    "no route": ("ADDR-16", _no_route, "the route to the other node's podCIDR", "has forwarding"),
    "one pod": ("ADDR-16", _one_pod_silent, "a pod's own network", "has forwarding"),
    "no forwarding": ("ADDR-16", _does_not_forward, "forwarding off", "nothing"),
    "all datagrams": (
        "ADDR-17",
        answers("udp_loss", lost=3000, pods=(), silent=(1, 2)),
        "a packet filter or a security group",
        "a link, a queue",
    ),
    "one flow of datagrams": (
        "ADDR-17",
        answers("udp_loss", lost=40, silent=(4001,)),
        "one of several equal routes",
        "nothing",
    ),
    "a few datagrams": (
        "ADDR-17",
        answers("udp_loss", lost=90),
        "a packet filter or a security group",
        "equal routes",
    ),
    "rules of a Service": ("SVC-01", _no_rules, "the proxy's rules", "bridge"),
    "the way to an endpoint from nodes": (
        "SVC-04",
        _no_way_from_nodes,
        "the endpoint itself",
        "the Service proxy",
    ),
    "a proxy that stands still": ("SVC-01", _stopped, "the Service proxy", "bridge"),
    "the way to an endpoint": ("SVC-01", _no_way, "the endpoint itself", "the Service proxy"),
    "the way to an endpoint by UDP": ("SVC-02", _no_way, "the endpoint itself", "the proxy's"),
    "rules of a Service for UDP": ("SVC-02", _no_rules, "the proxy's rules", "is stopped"),
    "a bridge past the filter": ("SVC-01", _not_filtered, "the bridge passes by", "the way to the"),
    "one dead endpoint": ("SVC-06", _dead("probe-01"), "the way from that node", "name only some"),
    "one endpoint missing": (
        "SVC-07",
        objects("endpointslices", "every-ipv6", _endpoints(["fd00:10:244:1::2"])),
        "something rewrites EndpointSlices",
        "nothing",
    ),
    "no endpoint": (
        "SVC-07",
        objects("endpointslices", "every-ipv6", _endpoints([])),
        "the endpoint slice controller",
        "something rewrites",
    ),
    "a proxy that drops": (
        "SVC-13",
        answers("tcp_connect", lambda p, r: r.timeout == 2.0, **DROPPED),
        "the proxy drops",
        "is filtered",
    ),
    "a filter of errors": (
        "SVC-13",
        _no_errors,
        "ICMPv6 type 1 is filtered",
        "the proxy drops",
    ),
    "a stranger": (
        "SVC-13",
        answers("tcp_connect", connected=True, error=""),
        "a stranger answers",
        "nothing",
    ),
    "SERVFAIL": (
        "DNS-01",
        dns_says("AAAA", rcode="SERVFAIL"),
        "the servers answer with an error",
        "does not run",
    ),
    "no DNS": ("DNS-01", _dns_dead_at(service=False, of="p"), "port 53", "answer with an error"),
    "no DNS on a node": (
        "DNS-01",
        _dns_dead_at(service=False, of="probe-01"),
        "drops queries to port 53",
        "CoreDNS does not run",
    ),
    "no rules for DNS": (
        "DNS-01",
        _dns_dead_at(service=True, of="probe-01"),
        "the Service proxy has no rules",
        "drops queries",
    ),
    "another family's nameserver": (
        "DNS-03",
        state(lambda s: {"nameservers": ("10.96.0.10",)}),
        "a family that the pods lack",
        "clusterDomain",
    ),
    "no search": ("DNS-03", state(lambda s: {"search": ()}), "clusterDomain", "that the pods lack"),
    "SERVFAIL while searching": (
        "DNS-16",
        dns_says("A", rcode="SERVFAIL"),
        "SERVFAIL for a search domain",
        "lost or late",
    ),
    "slow look-ups": (
        "DNS-16",
        answers("lookups", in_time={}, late={"fd00:10:96::1:0": 20}),
        "lost or late",
        "SERVFAIL",
    ),
    "another prefix": (
        "N64-05",
        dns_says("AAAA", data="2001:db8:65::1"),
        "not the gateway's",
        "has no DNS64",
    ),
    "a certificate": (
        "NODE-01",
        answers("https_get", verified=False, status=0, error="certificate is not valid for 'x'"),
        "the serving certificate",
        "the way from pods",
    ),
    "no way to the API server": (
        "NODE-01",
        answers("https_get", verified=False, status=0, address="", error="ETIMEDOUT"),
        "the way from pods",
        "the serving certificate",
    ),
    "a closed node port": (
        "LB-01",
        answers("tcp_connect", connected=False, echoed=False, error="ETIMEDOUT"),
        "a firewall or security group",
        "nothing",
    ),
    "a node port at another address": (
        "LB-01",
        answers("tcp_connect", connected=False, echoed=False, error="ECONNREFUSED"),
        "serves node ports at some",
        "a firewall",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_right_cause_is_the_first(case: str) -> None:
    id, break_it, right, wrong = CASES[case]
    world, declared = World(Stack.IPV6), catalogue.checks()[id]
    break_it(world)

    judgement, records = record_check(world, id, V6 if declared.families else None)
    judged = [record for record in records if record.mark.judged]
    causes = likely(
        declared.causes,
        Seen(
            failed=[record for record in judged if record.mark.failed],
            good=[record for record in judged if not record.mark.failed],
            told=[*judgement.remarks, judgement.reason],
        ),
    )

    assert judgement.verdict is Verdict.FAIL, judgement
    assert right in causes[0], (causes, judgement)
    assert not any(wrong in cause for cause in causes), causes
