"""Addresses in pods: what the kernel has, and whether it can be used."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pytest_ipv6k8s import ONLY_IPV6, WITH_IPV6, Family, Record, check, expect_all
from pytest_ipv6k8s.addresses import in_any, same_address
from pytest_ipv6k8s.agent.ops import (
    loopback,
    network_state,
    source_address,
    startup_addresses,
    tcp_connect,
)
from pytest_ipv6k8s.agent.ports import TCP_PORT
from pytest_ipv6k8s.causes import failing, only, some, told, unless
from pytest_ipv6k8s.expectations import remark
from pytest_ipv6k8s.suite import ClusterView, Probe, Probes, Services
from pytest_ipv6k8s.suite.paths import NODE_LOCAL_EGRESS
from pytest_ipv6k8s.words import listed

CLAT_RANGE = "192.0.0.0/29"
CNI_LOOK = "ip addr; ip -6 route (in a pod)"


pods = partial(check, look=CNI_LOOK)


def _states(probes: Probes) -> list[Record[network_state.Answer]]:
    return probes.ask_each(lambda probe: [network_state.Request()])


def _global_addresses(state: network_state.Answer) -> set[str]:
    interfaces = {route.interface for route in state.routes if route.destination == "default"}
    return {
        item.address
        for item in state.addresses
        if item.interface in interfaces
        and item.scope == "global"
        and not in_any(item.address, NODE_LOCAL_EGRESS)
    }


def _has_more(record: Record[network_state.Answer]) -> bool:
    """Tell whether a pod has all of its podIPs, and more."""
    own = set(record.answer.environment.get("POD_IPS", "").split(","))
    return own < _global_addresses(record.answer)


_only_more = failing(_has_more)


@pods(
    "ADDR-03",
    rests_partly_on=["ADDR-05", "ADDR-06", "ADDR-26"],
    references=["KEP-563: Pod API"],
    causes=[
        unless(
            _only_more,
            "the CNI reports other addresses to the kubelet than it puts on the interface",
        ),
        only(_only_more, "router advertisements reach the pod and SLAAC adds an address"),
        only(_only_more, "a sidecar or a second CNI plugin adds addresses"),
    ],
)
def test_kernel_has_the_addresses_that_the_api_tells(probes: Probes) -> None:
    """The global addresses of the interface with the default route are exactly the podIPs."""
    records = _states(probes)

    expect_all(
        records,
        lambda r: _global_addresses(r.answer) == set(probes.named(r.source).pod.ips),
        expected="the podIPs and no further address",
        say=lambda r: (
            f"pod {r.source}: kernel {listed(sorted(_global_addresses(r.answer)))}, "
            f"podIPs {listed(probes.named(r.source).pod.ips)}"
        ),
    )


@pods(
    "ADDR-04",
    rests_partly_on=["ADDR-13"],
    stacks=WITH_IPV6,
    references=["RFC 4862 section 5.4"],
    causes=[
        "the CNI leaves duplicate address detection on and does not wait for it",
        "two pods have the same address",
    ],
)
def test_addresses_are_usable_when_the_container_starts(probes: Probes) -> None:
    """No address is tentative or a detected duplicate at a container's first action."""
    records = probes.ask_each(lambda _: [startup_addresses.Request()])

    expect_all(
        records,
        lambda r: not r.answer.unusable and not any(map(_is_in_doubt, r.answer.addresses)),
        expected="addresses that can be bound and connected to at once",
    )


def _is_in_doubt(address: network_state.Address) -> bool:
    return not {"tentative", "dadfailed"}.isdisjoint(address.flags)


@pods(
    "ADDR-05",
    rests_partly_on=["ADDR-26"],
    stacks=WITH_IPV6,
    references=["RFC 4861 sections 5.2 and 7.3"],
    causes=[
        unless(told("did not answer"), "the CNI sets no IPv6 default route"),
        only(
            told("did not answer"),
            "the gateway's address is not on the node's side of the link, or neighbour "
            "solicitations are dropped (a packet filter, rp_filter, missing proxy_ndp)",
        ),
    ],
)
def test_default_route_is_usable(probes: Probes) -> None:
    """Every pod has an IPv6 default route whose next hop is no failed neighbour."""
    others = [probe.address(Family.V6) for probe in probes]
    probes.ask_each(lambda probe: [tcp_connect.Request(a, TCP_PORT) for a in others])

    records = _states(probes)

    expect_all(
        records,
        lambda r: _default_routes(r.answer),
        expected="an IPv6 default route in every pod",
        say=lambda r: f"pod {r.source} has none",
    )
    expect_all(
        records,
        lambda r: not _failed_hops(r.answer),
        expected="a next hop that answers neighbour solicitations",
        say=lambda r: f"pod {r.source}: {', '.join(_failed_hops(r.answer))} did not answer",
    )


def _failed_hops(state: network_state.Answer) -> list[str]:
    failed = {n.address for n in state.neighbours if n.state in ("FAILED", "INCOMPLETE")}
    return [route.gateway for route in _default_routes(state) if route.gateway in failed]


def _default_routes(state: network_state.Answer) -> list[network_state.Route]:
    return [r for r in state.routes if r.destination == "default" and r.family == "IPv6"]


def _has_clat(record: Record[network_state.Answer]) -> bool:
    return any(in_any(item.address, [CLAT_RANGE]) for item in record.answer.addresses)


@pods(
    "ADDR-06",
    stacks=ONLY_IPV6,
    references=["Kubernetes docs: IPv4/IPv6 dual-stack"],
    causes=[
        unless(some(_has_clat), "the CNI still has an IPv4 pool"),
        only(some(_has_clat), "a 464XLAT daemon (CLAT) runs in the pods, and is not declared"),
    ],
)
def test_ipv6_only_pods_have_no_ipv4(cluster: ClusterView, probes: Probes) -> None:
    """A pod of an IPv6-only cluster has no IPv4 address beside its podIP, and no IPv4 route out.

    What a declared CLAT has (RFC 7335), and what never leaves the node, is allowed. Addresses of
    further networks are told, not judged.
    """
    allowed = (*NODE_LOCAL_EGRESS, *([CLAT_RANGE] if cluster.clat else ()))
    records = _states(probes)

    found = {r.source: _ipv4_addresses(r.answer, allowed) for r in records}
    own = {r.source: _interfaces_of(r.answer, probes.named(r.source)) for r in records}
    expect_all(
        records,
        lambda r: not own[r.source] & {item.interface for item in found[r.source]},
        expected="no IPv4 address",
        say=lambda r: f"pod {r.source}: {', '.join(map(_on_interface, found[r.source]))}",
    )
    others = {item.interface for items in found.values() for item in items}
    if others:
        remark(f"IPv4 in further networks: {', '.join(sorted(others))}")
    expect_all(
        [r for r in records if not any(in_any(a.address, allowed) for a in r.answer.addresses)],
        lambda r: not _ipv4_ways_out(r.answer),
        expected="no IPv4 default route",
        say=lambda r: (
            f"pod {r.source}: IPv4 default route by {', '.join(_ipv4_ways_out(r.answer))}"
        ),
    )


def _interfaces_of(state: network_state.Answer, probe: Probe) -> set[str]:
    """Return the interfaces that have the podIPs."""
    return {item.interface for item in state.addresses if item.address in probe.pod.ips}


def _on_interface(item: network_state.Address) -> str:
    return f"{item.address} on {item.interface}"


def _ipv4_addresses(
    state: network_state.Answer, allowed: Sequence[str]
) -> list[network_state.Address]:
    return [
        item
        for item in state.addresses
        if Family.of(item.address) is Family.V4
        and not in_any(item.address, ("127.0.0.0/8", *allowed))
    ]


def _ipv4_ways_out(state: network_state.Answer) -> list[str]:
    return [
        route.gateway or route.interface
        for route in state.routes
        if route.destination == "default" and route.family == "IPv4"
    ]


@pods(
    "ADDR-07",
    references=["KEP-563: downward API", "KEP-2681: status.hostIPs"],
    causes=[
        "the kubelet is older than the API server and does not know status.hostIPs",
        "admission rewrites the environment of pods, and asks for status.podIP alone",
    ],
    look="kubectl get nodes -o wide",
)
def test_downward_api_tells_the_addresses_in_order(probes: Probes) -> None:
    """The Downward API gives podIPs and hostIPs comma-separated, in the order of the status."""
    records = _states(probes)

    def differences(record: Record[network_state.Answer]) -> list[str]:
        pod, environment = probes.named(record.source).pod, record.answer.environment
        wanted = {"POD_IP": pod.ips[0], "POD_IPS": ",".join(pod.ips)}
        if pod.host_ips:
            wanted["HOST_IPS"] = ",".join(pod.host_ips)
        return [
            f"{name}={environment[name]}, status {value}"
            for name, value in wanted.items()
            if environment[name] != value
        ]

    expect_all(
        records,
        lambda r: not differences(r),
        expected="the environment equals the status",
        say=lambda r: f"pod {r.source}: {'; '.join(differences(r))}",
    )


@pods(
    "ADDR-13",
    references=["RFC 4291 section 2.5.3", "RFC 1122 section 3.2.1.3"],
    causes=[
        only(
            some(lambda record: record.request["address"] == Family.V4.loopback),
            "the CNI does not bring up lo: its plugin for it is missing, or fails",
        ),
        unless(
            some(lambda record: record.request["address"] == Family.V4.loopback),
            "net.ipv6.conf.lo.disable_ipv6 is 1 in pods",
        ),
    ],
    look="ip addr show lo; sysctl net.ipv6.conf.lo.disable_ipv6 (in a pod)",
)
def test_loopback_works(cluster: ClusterView, probes: Probes) -> None:
    """The address [::1] can be used in every pod with IPv6, and 127.0.0.1 in every pod."""
    addresses = {Family.V4.loopback, *(family.loopback for family in cluster.stack.families)}

    records = probes.ask_each(lambda probe: [loopback.Request(a) for a in sorted(addresses)])

    expect_all(records, lambda record: record.answer.works, expected="a connection over loopback")


@pods(
    "ADDR-22",
    rests_partly_on=["ADDR-03", "ADDR-05", "ADDR-26"],
    stacks=WITH_IPV6,
    references=["RFC 6724 section 5"],
    causes=[
        "the podIP is marked deprecated or has a narrower scope than the destination",
        "the route has a preferred source (src) of its own",
    ],
)
def test_source_address_is_the_pod_ip(
    cluster: ClusterView, probes: Probes, services: Services
) -> None:
    """Towards pods, Services, nodes and the Internet the source is the IPv6 podIP."""
    node_ips = [ip for node in cluster.nodes for ip in node.internal_ips if ":" in ip]
    targets = [
        *(probe.address(Family.V6) for probe in probes),
        *(ip for ip in services["every"].cluster_ips if Family.of(ip) is Family.V6),
        *node_ips[:2],
        "2001:db8::1",
    ]

    records = probes.ask_each(
        lambda probe: [source_address.Request(a) for a in targets if a != probe.address(Family.V6)]
    )

    expect_all(
        records,
        lambda record: (
            record.answer.local
            and same_address(record.answer.local, probes.named(record.source).address(Family.V6))
        ),
        expected="the IPv6 podIP as source",
    )


@pods(
    "ADDR-26",
    stacks=WITH_IPV6,
    references=["Linux documentation: ip-sysctl, disable_ipv6"],
    causes=[
        "the container runtime or the CNI switches IPv6 off in new network namespaces",
        "the node was hardened with net.ipv6.conf.default.disable_ipv6=1",
    ],
    look="sysctl -a | grep disable_ipv6 (on the node)",
)
def test_ipv6_is_not_disabled_in_pods(probes: Probes) -> None:
    """The sysctl disable_ipv6 is 0 in every pod, for all and for the interface of the podIP.

    What new interfaces get (``default``), and what a further network has, is told, not judged.
    """
    records = _states(probes)

    expect_all(
        records,
        lambda r: not _switched_off(r, probes),
        expected="disable_ipv6=0",
        say=lambda r: f"pod {r.source}: {', '.join(_switched_off(r, probes))}",
    )

    others = [name for r in records for name, value in r.answer.sysctls.items() if value != "0"]
    if others:
        remark(f"disabled elsewhere: {', '.join(sorted(set(others))[:3])}")


def _switched_off(record: Record[network_state.Answer], probes: Probes) -> list[str]:
    """Return what is switched off, of all interfaces and of those that have a podIP."""
    state = record.answer
    interfaces = _interfaces_of(state, probes.named(record.source))
    judged = {f"net.ipv6.conf.{name}.disable_ipv6" for name in ("all", *interfaces)}
    return [
        f"{name}={value}"
        for name, value in state.sysctls.items()
        if name in judged and value != "0"
    ]
