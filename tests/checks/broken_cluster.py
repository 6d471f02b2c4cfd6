"""Worlds in which the checks of the cluster itself fail."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.agent.ops.network_state import Address, Neighbour, Route
from tests.checks.breaking import (
    Break,
    Broken,
    all_accepted,
    all_refused,
    answers,
    dns_says,
    from_pod,
    objects,
    proposals,
    rewritten,
    state,
)
from tests.checks.world import World

V4, V6, DUAL, DUAL6 = Family.V4, Family.V6, Stack.DUAL, Stack.DUAL_IPV6
OTHER_NODE: dict[str, Any] = {"connected": False, "echoed": False, "pod": "", "error": "ETIMEDOUT"}
NODE_SOURCE: dict[str, Any] = {"seen_source": "fd00:18::2"}


def _pod_ips(*ips: str) -> Any:
    def change(pod: dict[str, Any]) -> None:
        pod["status"].update(podIP=ips[0], podIPs=[{"ip": ip} for ip in ips])

    return change


def _without_second_family(pod: dict[str, Any]) -> None:
    pod["status"]["podIPs"] = pod["status"]["podIPs"][:1]


def _stray_pod(world: World) -> None:
    pod = world.pods[1]
    object.__setattr__(pod, "ips", ("fd00:99::5",))


def _node(**fields: Any) -> Any:
    def break_it(world: World) -> None:
        for name, value in fields.items():
            object.__setattr__(world.nodes[1], name, value)

    return break_it


def _endpoints(addresses: list[str]) -> Any:
    def change(item: dict[str, Any]) -> None:
        item["endpoints"] = [{"addresses": [address]} for address in addresses]

    return change


def _cluster_ips(*ips: str) -> Any:
    def change(service: dict[str, Any]) -> None:
        service["spec"].update(clusterIP=ips[0], clusterIPs=list(ips))

    return change


def _text(change_status: dict[str, Any]) -> Any:
    return lambda item: item["status"].update(change_status)


def _only_first_behind(family: Family) -> Any:
    def break_it(world: World) -> None:
        def change(pod: Any, request: Any, answer: Any) -> Any:
            stuck = Family.of(request.address) is family and answer.connected
            return replace(answer, pod="probe-00") if stuck else answer

        world.override("tcp_connect", change)

    return break_it


def _never(name: str) -> Break:
    """Send nobody to a pod: another one answers in its place."""

    def break_it(world: World) -> None:
        def change(pod: Any, request: Any, answer: Any) -> Any:
            return replace(answer, pod="probe-00") if answer.pod == name else answer

        world.override("tcp_connect", change)

    return break_it


def _no_hairpin_of(name: str) -> Break:
    """Lose what a pod sends to itself."""

    def break_it(world: World) -> None:
        def lose(pod: Any, request: Any, answer: Any) -> Any:
            return replace(answer, **OTHER_NODE) if pod.name == answer.pod == name else answer

        world.override("tcp_connect", lose)

    return break_it


def _dead(name: str) -> Break:
    """Lose all that leads to a pod."""

    def break_it(world: World) -> None:
        def change(pod: Any, request: Any, answer: Any) -> Any:
            return replace(answer, **OTHER_NODE) if answer.pod == name else answer

        world.override("tcp_connect", change)

    return break_it


def _connects_nobody(world: World) -> None:
    world.unconnected[world.nodes[1].name] = "failed to setup network for sandbox"


ADDR = [
    Broken("ADDR-01", "a node connects no pod", _connects_nobody),
    Broken("ADDR-01", "podIP is not the first", objects("pods", "probe-00", _text({"podIP": "fd00::9"}))),
    Broken("ADDR-01", "one family only", objects("pods", "probe-01", _without_second_family), DUAL),
    Broken("ADDR-01", "two of a family", objects("pods", "host-00", _pod_ips("fd00::1", "fd00::2"))),
    Broken("ADDR-02", "address of another range", _stray_pod),
    Broken("ADDR-03", "an extra address", state(lambda s: {"addresses": (*s.addresses, Address("eth0", "2001:db8::7", 64, "global"))})),
    Broken("ADDR-03", "no address at all", state(lambda s: {"addresses": s.addresses[:1]})),
    Broken("ADDR-04", "tentative", answers("startup_addresses", addresses=(Address("eth0", "fd00::2", 64, "global", ("tentative",)),))),
    Broken("ADDR-04", "cannot be bound", answers("startup_addresses", from_pod("probe-01"), unusable=("fd00::2: EADDRNOTAVAIL",))),
    Broken("ADDR-05", "no default route", state(lambda s: {"routes": ()})),
    Broken("ADDR-05", "next hop failed", state(lambda s: {"neighbours": (Neighbour("fe80::1", "eth0", "FAILED"),)})),
    Broken("ADDR-06", "an IPv4 address", state(lambda s: {"addresses": (*s.addresses, Address("eth0", "10.0.0.7", 24, "global"))})),
    Broken("ADDR-06", "an IPv4 route", state(lambda s: {"routes": (*s.routes, Route("default", "IPv4", "10.0.0.1", "eth0"))})),
    Broken("ADDR-07", "other order", state(lambda s: {"environment": {**s.environment, "POD_IPS": ",".join(reversed(s.environment["POD_IPS"].split(",")))}}), DUAL),
    Broken("ADDR-07", "no hostIPs", state(lambda s: {"environment": {**s.environment, "HOST_IPS": ""}})),
    Broken("ADDR-08", "one address only", objects("pods", "host-00", _without_second_family), DUAL),
    Broken("ADDR-09", "one family only", _node(internal_ips=("172.18.0.3",)), DUAL),
    Broken("ADDR-10", "one family only", _node(pod_cidrs=("10.244.1.0/24",)), DUAL),
    Broken("ADDR-10", "overlapping", _node(pod_cidrs=("fd00:10:244::/56",))),
    Broken("ADDR-10", "over another node's address", _node(pod_cidrs=("fd00:18::/64",))),
    Broken("ADDR-10", "a pod with a node's address", objects("pods", "probe-00", _pod_ips("fd00:18::3"))),
    Broken("ADDR-11", "capital letters", objects("pods", "probe-00", _text({"hostIP": "FD00::1"}))),
    Broken("ADDR-11", "zeros", objects("services", "peer", _cluster_ips("fd00:0:0::1"))),
    Broken("ADDR-13", "no ::1", answers("loopback", lambda pod, request: request.address == "::1", works=False)),
    Broken("ADDR-15", "nobody there", answers("tcp_connect", from_pod("probe-peer"), **OTHER_NODE), family=V6),
    Broken("ADDR-16", "one direction", answers("tcp_connect", from_pod("probe-01"), **OTHER_NODE), family=V6),
    Broken("ADDR-16", "somebody else answers", answers("tcp_connect", pod="stranger"), family=V6),
    Broken("ADDR-17", "three in a hundred lost", answers("udp_loss", from_pod("probe-01"), lost=90), family=V6),
    Broken("ADDR-17", "a flow lost as a whole", answers("udp_loss", lost=40, silent=(4001,)), family=V6),
    Broken("ADDR-17", "no route", answers("udp_loss", sent=0, lost=0, pods=(), error="ENETUNREACH"), family=V6),
    Broken("ADDR-17", "somebody else answers", answers("udp_loss", pods=("stranger",)), DUAL, V4),
    Broken("ADDR-34", "three in a hundred sent again", answers("tcp_loss", from_pod("probe-00"), lossy=90), family=V6),
    Broken("ADDR-34", "a connection failed", answers("tcp_loss", failed=1, failures=("4001: ETIMEDOUT",)), family=V6),
    Broken("ADDR-34", "somebody else answers", answers("tcp_loss", pods=("stranger",)), DUAL, V4),
    Broken("ADDR-20", "a node as source", answers("tcp_connect", **NODE_SOURCE), family=V6),
    Broken("ADDR-22", "link-local source", answers("source_address", local="fe80::2")),
    Broken("ADDR-22", "no route", answers("source_address", local="", error="ENETUNREACH")),
    Broken("ADDR-26", "disabled where the podIP is", state(lambda s: {"sysctls": {"net.ipv6.conf.eth0.disable_ipv6": "1"}})),
    Broken("ADDR-26", "disabled for all", state(lambda s: {"sysctls": {"net.ipv6.conf.all.disable_ipv6": "1"}})),
    Broken("ADDR-27", "in a node", objects("nodes", "node-0", _text({"addresses": [{"type": "InternalIP", "address": "fe80::1"}]}))),
]  # fmt: skip

SVC = [
    Broken("SVC-01", "one node hears nothing", answers("tcp_connect", from_pod("probe-01"), **OTHER_NODE), family=V6),
    Broken("SVC-01", "wrong backend", answers("tcp_connect", pod="probe-00"), DUAL, V4),
    Broken("SVC-02", "one node hears nothing", answers("udp_exchange", from_pod("probe-01"), echoed=0), family=V6),
    Broken("SVC-04", "one node hears nothing", answers("tcp_connect", from_pod("host-01"), **OTHER_NODE), family=V6),
    Broken("SVC-05", "no hairpin", answers("tcp_connect", from_pod("probe-peer"), **OTHER_NODE), family=V6),
    Broken("SVC-05", "no hairpin on another node", _no_hairpin_of("probe-01"), family=V6),
    Broken("SVC-06", "one endpoint never used", _never("probe-01"), family=V6),
    Broken("SVC-06", "one endpoint dead", _dead("probe-01"), family=V6),
    Broken("SVC-11", "one endpoint dead", _dead("probe-01"), DUAL),
    Broken("SVC-07", "one address missing", objects("endpointslices", "every-ipv6", _endpoints(["fd00:10:244:1::2"]))),
    Broken("SVC-07", "endpoints of nobody", objects("endpointslices", "empty-ipv6", _endpoints(["fd00::1"]))),
    Broken("SVC-10", "two cluster IPs", objects("services", "only-ipv4", _cluster_ips("10.96.0.9", "fd00:10:96::9")), DUAL, V4),
    Broken("SVC-10", "the other family", objects("services", "only-ipv6", _cluster_ips("10.96.0.9")), DUAL, V6),
    Broken("SVC-11", "other backends", _only_first_behind(V6), DUAL),
    Broken("SVC-12", "a node as source", answers("tcp_connect", **NODE_SOURCE), family=V6),
    Broken("SVC-13", "silence", answers("tcp_connect", lambda pod, request: request.timeout == 2.0, connected=False, error="ETIMEDOUT"), family=V6),
    Broken("SVC-13", "a stranger answers", answers("tcp_connect", connected=True, error=""), family=V6),
    Broken("SVC-13", "everything is refused", answers("tcp_connect", connected=False, echoed=False, error="ECONNREFUSED"), family=V6),
]  # fmt: skip

LB = [
    Broken("LB-01", "one node's port is shut", answers("tcp_connect", lambda pod, request: request.address == "fd00:18::3", **OTHER_NODE), family=V6),
    Broken("LB-01", "one node's pods reach none", answers("tcp_connect", from_pod("probe-01"), **OTHER_NODE), DUAL, V4),
]  # fmt: skip

DNS = [
    Broken("DNS-01", "no answer", answers("dns_exchange", lambda pod, request: request.transport == "udp", wire="", error="ETIMEDOUT")),
    Broken("DNS-02", "no answer", answers("dns_exchange", lambda pod, request: request.transport == "tcp", wire="", error="ECONNREFUSED")),
    Broken("DNS-03", "nameserver of another family", state(lambda s: {"nameservers": ("10.96.0.10",)})),
    Broken("DNS-03", "no search", state(lambda s: {"search": ()})),
    Broken("DNS-03", "ndots", state(lambda s: {"options": ()})),
    Broken("DNS-03", "no nameserver", state(lambda s: {"nameservers": ()})),
    Broken("DNS-01", "silent nameserver", state(lambda s: {"nameservers": (*s.nameservers, "fd00::5")})),
    Broken("DNS-04", "NXDOMAIN", dns_says("AAAA", rcode="NXDOMAIN")),
    Broken("DNS-04", "another address", dns_says("AAAA", data="fd00::1")),
    Broken("DNS-04", "no answer", answers("dns_exchange", wire="", error="ETIMEDOUT")),
    Broken("DNS-05", "no data", dns_says("A"), DUAL),
    Broken("DNS-06", "one family only", dns_says("AAAA"), DUAL),
    Broken("DNS-07", "NXDOMAIN", dns_says("A", rcode="NXDOMAIN")),
    Broken("DNS-07", "SERVFAIL", dns_says("A", rcode="SERVFAIL")),
    Broken("DNS-07", "no SOA", dns_says("AAAA"), DUAL),
    Broken("DNS-07", "made up", dns_says("A", data="192.0.2.1")),
    Broken("DNS-08", "one record only", dns_says("AAAA", data="fd00:10:244:1::2"), family=V6),
    Broken("DNS-11", "no reverse zone", dns_says("PTR", rcode="NXDOMAIN")),
    Broken("DNS-11", "another name", dns_says("PTR", data="other.example.")),
    Broken("DNS-14", "no SRV", dns_says("SRV", rcode="NXDOMAIN")),
    Broken("DNS-14", "target without address", dns_says("AAAA"), DUAL),
    Broken("DNS-16", "one family only", answers("lookups", in_time={"10.96.1.0": 20}), DUAL),
    Broken("DNS-16", "slow", answers("lookups", in_time={}, late={"fd00:10:96::1:0": 20})),
    Broken("DNS-17", "one in ten is slow", answers("lookups", in_time={"a": 60}, late={"a": 7})),
    Broken("DNS-17", "one in ten fails", answers("lookups", in_time={"a": 60}, errors={"b": 7})),
    Broken("DNS-16", "SERVFAIL while searching", dns_says("A", rcode="SERVFAIL")),
]  # fmt: skip

NODE = [
    Broken("NODE-01", "unknown CA", answers("https_get", verified=False, status=0)),
    Broken("NODE-01", "a certificate without the cluster IP", answers("https_get", lambda pod, request: ":" in request.server_name, verified=False, status=0)),
    Broken("NODE-01", "a certificate without the name", answers("https_get", lambda pod, request: ":" not in request.server_name, verified=False, status=0)),
    Broken("NODE-01", "bad gateway", answers("https_get", status=502)),
    Broken("NODE-01", "somewhere else", answers("https_get", address="fd00::9")),
    Broken("NODE-02", "another family", objects("endpointslices", "kubernetes-ipv6", lambda s: s.update(addressType="IPv4"))),
    Broken("NODE-02", "no endpoints", objects("endpointslices", "kubernetes-ipv6", _endpoints([]))),
]  # fmt: skip


def _only_required(break_it: Break) -> Break:
    """Change only what became of proposals with RequireDualStack."""

    def apply(world: World) -> None:
        break_it(world)
        changed = world.on_propose
        world.on_propose = lambda body, outcome: (
            changed(body, outcome)
            if body["spec"].get("ipFamilyPolicy") == "RequireDualStack"
            else outcome
        )

    return apply


def _ranges(*cidrs: str) -> Break:
    """Give the ServiceCIDR ``kubernetes`` these ranges."""
    return lambda world: setattr(world, "service_cidrs", cidrs)


TAKES_ALL, REFUSES_ALL = proposals(all_accepted), proposals(all_refused)
TO_SINGLE = rewritten(ipFamilyPolicy="SingleStack")
ONE_FAMILY = rewritten(
    ipFamilies=lambda f: f[:1] if f else f, clusterIPs=lambda c: c[:1] if c else c
)
SWAPPED = rewritten(ipFamilies=lambda f: list(reversed(f)) if f else f)
OTHER_ADDRESS = rewritten(clusterIP="fd00:10:96::fff", clusterIPs=["fd00:10:96::fff"])
API = [
    Broken("API-01", "a webhook prefers dual-stack", rewritten(ipFamilyPolicy="PreferDualStack")),
    Broken("API-01", "the other family", rewritten(ipFamilies=["IPv4"]), DUAL6),
    Broken("API-02", "an unknown family is taken", TAKES_ALL),
    Broken("API-02", "the other family", rewritten(ipFamilies=["IPv4"]), DUAL),
    Broken("API-03", "one family only", ONE_FAMILY, DUAL),
    Broken("API-03", "another policy", TO_SINGLE),
    Broken("API-03", "a range of each family, and only one is given", _ranges("fd00:10:96::/112", "10.96.0.0/16")),
    Broken("API-04", "the other order", SWAPPED, DUAL),
    Broken("API-04", "an unknown family is taken", TAKES_ALL),
    Broken("API-05", "the other order", SWAPPED, DUAL),
    Broken("API-05", "refused", REFUSES_ALL, DUAL),
    Broken("API-09", "another address", OTHER_ADDRESS),
    Broken("API-10", "no second address", _only_required(ONE_FAMILY), DUAL),
    Broken("API-22", "another address", objects("services", "kubernetes", _cluster_ips("fd00:10:96::2"))),
    Broken("API-22", "the other family first", objects("services", "kubernetes", _cluster_ips("fd00:10:96::1", "10.96.0.1")), DUAL),
    Broken("API-15", "another policy", rewritten(ipFamilyPolicy="PreferDualStack")),
    Broken("API-15", "a cluster IP", rewritten(clusterIPs=["fd00::1"])),
    Broken("API-16", "one family only", ONE_FAMILY),
    Broken("API-16", "another policy", rewritten(ipFamilyPolicy="PreferDualStack")),
    *(Broken(id, "takes all", TAKES_ALL) for id in ("API-06", "API-11", "API-12", "API-14", "API-17", "API-18")),
    *(Broken(id, "takes all", TAKES_ALL, DUAL) for id in ("API-07", "API-08", "API-13")),
    *(Broken(id, "refuses all", REFUSES_ALL) for id in ("API-06", "API-14", "API-17", "API-18")),
    Broken("API-07", "refuses all", REFUSES_ALL, DUAL),
    Broken("API-17", "fields are set", rewritten(ipFamilyPolicy="SingleStack", ipFamilies=["IPv6"])),
]  # fmt: skip

ROWS = [*ADDR, *SVC, *LB, *DNS, *NODE, *API]
