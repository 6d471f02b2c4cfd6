"""DNS that loses, DNS of which a part is dead, and DNS that is odd but healthy."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import dns.flags
import dns.message
import pytest

from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.agent.ops import dns_exchange, lookups, network_state
from pytest_ipv6k8s.dns_messages import question
from pytest_ipv6k8s.probe.probes import ProbePod
from pytest_ipv6k8s.verdicts import Verdict
from tests.checks import names
from tests.checks.shape import plain
from tests.checks.world import SEARCH, World, run_check

SEEDS = range(50)
TIMEOUT = dns_exchange.Answer(error="ETIMEDOUT")


def _world(servers: int = 2, stack: Stack = Stack.IPV6) -> World:
    """Return a world with so many DNS servers, on both nodes in turn."""
    world = World(stack)
    world.dns_pods = tuple(
        replace(world._pod(f"coredns-{i}", i % 2, 10 + i), namespace="kube-system")
        for i in range(servers)
    )
    world.objects = world._objects()
    return world


def _dead(world: World, index: int) -> World:
    """Leave a DNS server's answers out: asked itself, or met behind the Service."""
    dead, chance = world.dns_pods[index], random.Random(index)

    def answer(pod: ProbePod, request: Any, honest: Any) -> Any:
        behind = request.server in world.dns_addresses
        met = request.server in dead.ips or (behind and not chance.randrange(len(world.dns_pods)))
        return TIMEOUT if met else honest

    world.override("dns_exchange", answer)
    return world


def _lossy(world: World, rate: float, seed: int) -> World:
    """Lose this part of all exchanges: of a UDP query with its reply, TCP sends again."""
    chance = random.Random(seed)

    def exchange(pod: ProbePod, request: Any, honest: Any) -> Any:
        lost = all(chance.random() < rate for _ in range(request.sends))
        return TIMEOUT if lost and request.transport == "udp" else honest

    def look_up(pod: ProbePod, request: lookups.Request, honest: Any) -> Any:
        tries = 1 if request.name.endswith(".") else len(SEARCH) + 1
        exchanges = 2 * (1 if "." not in request.name else tries)
        late = sum(
            any(chance.random() < rate for _ in range(exchanges)) for _ in range(request.count)
        )
        (text,) = honest.in_time
        return lookups.Answer(
            in_time={text: request.count - late} if request.count > late else {},
            late={text: late} if late else {},
            longest=5.0,
        )

    world.override("dns_exchange", exchange)
    world.override("lookups", look_up)
    return world


@pytest.mark.parametrize("servers", [2, 3, 5])
@pytest.mark.parametrize("id", ["DNS-01", "DNS-02"])
def test_a_dead_server_is_red_always_and_named_with_its_node(id: str, servers: int) -> None:
    for index in range(servers):
        judgement = run_check(_dead(_world(servers), index), id)

        assert judgement.verdict is Verdict.FAIL
        assert f"pod coredns-{index} (node node-{index % 2})" in judgement.reason


def test_what_is_asked_of_a_server_is_placed_on_its_node() -> None:
    world = _world(3)

    run_check(world, "DNS-01")

    nodes = {ip: f"node-{i % 2}" for i, pod in enumerate(world.dns_pods) for ip in pod.ips}
    assert world.where == nodes


def test_of_many_servers_each_is_asked_from_one_node() -> None:
    healthy = run_check(_world(30), "DNS-01")
    assert healthy.verdict is Verdict.PASS
    assert "each of 30 DNS servers was asked from one node" in healthy.reason

    for index in (0, 17, 29):
        judgement = run_check(_dead(_world(30), index), "DNS-01")

        assert judgement.verdict is Verdict.FAIL
        assert f"pod coredns-{index} " in judgement.reason


@pytest.mark.parametrize("id", ["DNS-01", "DNS-02", "DNS-03", "DNS-04", "DNS-16", "DNS-17"])
@pytest.mark.parametrize("rate", [0, 0.01])
def test_dns_is_not_red_for_one_lost_query_in_a_hundred(id: str, rate: float) -> None:
    for seed in range(5) if rate else [0]:
        judgement = run_check(_lossy(World(Stack.IPV6), rate, seed), id)

        assert judgement.verdict is Verdict.PASS, (seed, judgement)


@pytest.mark.parametrize("rate", [0.03, 0.05, 0.3, 0.51])
def test_lost_queries_are_seen_by_slow_look_ups(rate: float) -> None:
    for seed in SEEDS:
        judgement = run_check(_lossy(World(Stack.IPV6), rate, seed), "DNS-17")

        assert judgement.verdict is Verdict.FAIL, (seed, judgement)


def _slow(rate: Callable[[ProbePod], float], seed: int) -> World:
    """Return a world in which such a part of each pod's look-ups is slow."""
    world, chance = World(Stack.IPV6), random.Random(seed)

    def look_up(pod: ProbePod, request: lookups.Request, honest: Any) -> Any:
        late = sum(chance.random() < rate(pod) for _ in range(request.count))
        (text,) = honest.in_time
        return lookups.Answer(in_time={text: request.count - late}, late={text: late})

    world.override("lookups", look_up)
    return world


@pytest.mark.parametrize(("slow", "verdict"), [(0, Verdict.PASS), (0.05, Verdict.FAIL)])
def test_five_slow_look_ups_in_a_hundred_are_red(slow: float, verdict: Verdict) -> None:
    for seed in SEEDS:
        judgement = run_check(_slow(lambda pod: slow, seed), "DNS-17")

        assert judgement.verdict is verdict, (seed, judgement)


@pytest.mark.parametrize("name", ["probe-00", "probe-01", "probe-peer"])
def test_one_pod_whose_look_ups_are_slow_is_red_among_others(name: str) -> None:
    for seed in SEEDS:
        world = _slow(lambda pod: 0.09 if pod.name == name else 0.001, seed)

        judgement = run_check(world, "DNS-17")

        assert judgement.verdict is Verdict.FAIL, (seed, judgement)
        assert name in judgement.reason


@pytest.mark.parametrize(
    "ending", ["svc.cluster.local.cluster.local.", ".cluster.local.cluster.local."]
)
def test_no_name_that_is_searched_for_is_left_without_an_answer(ending: str) -> None:
    world, asked = World(Stack.IPV6), list[str]()

    def exchange(pod: ProbePod, request: Any, honest: Any) -> Any:
        name = question(request.wire)
        asked.append(name)
        return TIMEOUT if ending in name else honest

    world.override("dns_exchange", exchange)

    judgement = run_check(world, "DNS-16")

    assert any(ending in name for name in asked), asked
    assert judgement.verdict is Verdict.FAIL


def test_one_standstill_of_the_nodes_is_no_lost_query() -> None:
    world, asked = World(Stack.IPV6), set[str]()

    def look_up(pod: ProbePod, request: lookups.Request, honest: Any) -> Any:
        if pod.name in asked:
            return honest
        asked.add(pod.name)
        (text,) = honest.in_time
        late = request.at_once
        return lookups.Answer(in_time={text: request.count - late}, late={text: late}, longest=4.0)

    world.override("lookups", look_up)

    assert run_check(world, "DNS-17").verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("options", "limit"),
    [("ndots:5", 2.5), ("timeout:3 attempts:2", 1.5), ("timeout:1", 1.0), ("timeout:30", 2.5)],
)
def test_what_is_slow_follows_from_resolv_conf(options: str, limit: float) -> None:
    world, limits = World(Stack.IPV6), set[float]()
    world.override(
        "network_state",
        lambda pod, request, honest: replace(honest, options=tuple(options.split())),
    )

    def look_up(pod: ProbePod, request: lookups.Request, honest: Any) -> Any:
        limits.add(request.limit)
        return honest

    world.override("lookups", look_up)

    assert run_check(world, "DNS-17").verdict is Verdict.PASS
    assert limits == {limit}


def _corefile(text: str) -> Callable[[World], None]:
    return lambda world: setattr(world, "corefile", text)


def _only_coredns_may_ask(world: World) -> None:
    servers = {"2001:db8:53::53", "192.0.2.53"}
    world.override(
        "dns_exchange",
        lambda pod, request, honest: TIMEOUT if request.server in servers else honest,
    )


def _not_coredns(world: World) -> None:
    for pod in world.objects["pods"]:
        pod["spec"]["volumes"] = []


def _no_service(world: World) -> None:
    """A cache on the node, as of NodeLocal DNSCache beside kube-proxy's IPVS mode."""
    service = next(s for s in world.objects["services"] if s["metadata"].get("name") == "kube-dns")
    service["spec"]["ports"] = []


def _egress_only_ipv4(world: World) -> None:
    """EKS: the node's resolver is IPv4, and pods have an IPv4 way out (v4if0)."""

    def state(pod: ProbePod, request: Any, honest: network_state.Answer) -> Any:
        way_out = network_state.Route("default", "IPv4", "169.254.172.1", "v4if0")
        return replace(honest, routes=(*honest.routes, way_out))

    world.override("network_state", state)
    _only_coredns_may_ask(world)
    world.corefile = ".:53 {\n forward . 10.0.0.2 2001:db8:53::53\n}\n"


ODD = {
    "TLS": _corefile(".:53 {\n forward . tls://2001:db8:53::53 {\n  tls_servername a.b\n }\n}\n"),
    "variable": _corefile(".:53 {\n forward . {$UP} 2001:db8:53::53\n}\n"),
    "quotes and comments": _corefile('.:53 {\n forward . "2001:db8:53::53" # ::1\n}\n'),
    "another family first": _corefile(".:53 {\n forward . 192.0.2.1 2001:db8:53::53\n}\n"),
    "stub zone": _corefile(
        "corp:53 {\n forward . 2001:db8::99\n}\n.:53 {\n forward . 2001:db8:53::53\n}\n"
    ),
    "only CoreDNS may ask": _only_coredns_may_ask,
    "not CoreDNS": _not_coredns,
    "no servers behind it": _no_service,
    "EKS": _egress_only_ipv4,
}


@pytest.mark.parametrize("odd", ODD)
def test_odd_ways_to_ask_outside_are_healthy(odd: str) -> None:
    world = World(Stack.IPV6)
    ODD[odd](world)

    judgement = run_check(world, "DNS-19")

    assert judgement.verdict is Verdict.PASS, judgement


@pytest.mark.parametrize("id", ["DNS-01", "DNS-19"])
def test_a_corefile_that_does_not_parse_is_told_in_a_sentence(id: str) -> None:
    world = World(Stack.IPV6)
    world.is_forwarded = lambda: True  # type: ignore[method-assign]
    world.corefile = ".:53 {\n    errors\n"

    judgement = run_check(world, id)

    assert judgement.verdict is Verdict.PASS
    assert "the Corefile does not parse: ConfigMap kube-system/coredns" in judgement.reason


@pytest.mark.parametrize("ndots", ["2", "1"])
def test_a_webhook_may_set_ndots(ndots: str) -> None:
    world = World(Stack.IPV6)
    for pod in world.objects["pods"]:
        pod["spec"]["dnsConfig"] = {"options": [{"name": "ndots", "value": ndots}]}
    assert run_check(world, "DNS-03").verdict is Verdict.FAIL
    world.override(
        "network_state", lambda pod, request, honest: replace(honest, options=(f"ndots:{ndots}",))
    )

    judgement = run_check(world, "DNS-03")

    assert judgement.verdict is Verdict.PASS, judgement
    assert "ndots" in judgement.reason


def test_a_truncated_answer_is_asked_again_over_tcp() -> None:
    world = World(Stack.IPV6)

    def truncate(pod: ProbePod, request: dns_exchange.Request, honest: Any) -> Any:
        reply = dns.message.from_wire(base64.b64decode(honest.wire))
        if request.transport == "udp":
            reply.flags |= dns.flags.TC
            reply.answer = []
        return replace(honest, wire=base64.b64encode(reply.to_wire()).decode())

    world.override("dns_exchange", truncate)

    assert run_check(world, "DNS-08", Family.V6).verdict is Verdict.PASS


def test_a_server_with_old_data_is_red() -> None:
    world = _world(3)
    stale = world.dns_pods[2].ips[0]
    empty = World(Stack.IPV6)
    empty.services = {}

    def answer(pod: ProbePod, request: dns_exchange.Request, honest: Any) -> Any:
        if request.server != stale:
            return honest
        return replace(honest, wire=names.exchange(empty, request.wire))

    world.override("dns_exchange", answer)

    assert run_check(world, "DNS-04").verdict is Verdict.FAIL


def test_names_of_the_platform_do_not_matter() -> None:
    """OpenShift's: another name, another namespace, and pods that listen on 5353."""
    shape = replace(plain(Stack.IPV6), dns="openshift-dns/dns-default", dns_port=5353)
    world = World(Stack.IPV6, shape)
    asked: set[int] = set()

    def note(pod: ProbePod, request: dns_exchange.Request, honest: Any) -> Any:
        asked.add(request.port)
        return honest

    world.override("dns_exchange", note)

    assert run_check(world, "DNS-01").verdict is Verdict.PASS
    assert asked == {53, 5353}
