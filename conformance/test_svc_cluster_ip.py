"""Services: whether cluster IPs carry traffic, from where, and to whom."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pytest_ipv6k8s import (
    DUAL_STACK,
    Beside,
    Family,
    Feature,
    check,
    expect,
    expect_all,
    remark,
)
from pytest_ipv6k8s.agent.ops import tcp_connect, udp_exchange
from pytest_ipv6k8s.agent.ports import TCP_PORT, UDP_PORT
from pytest_ipv6k8s.causes import Cause, either, only, some, told, unless
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.probe.services import TCP, UDP
from pytest_ipv6k8s.suite import ClusterView, Probes, Services
from pytest_ipv6k8s.suite.backends import (
    expect_all_answered,
    expect_all_reached,
    expect_hairpin_beside_others,
    pods_behind,
    reached_from_every_node,
)
from pytest_ipv6k8s.suite.one_way import tell_endpoint, tell_errors
from pytest_ipv6k8s.suite.paths import (
    PATIENT,
    await_services,
    echoed_by,
    expect_every_try,
    expect_untranslated,
)
from pytest_ipv6k8s.suite.rates import expect_rates
from pytest_ipv6k8s.suite.round_trips import connecting, with_round_trips
from pytest_ipv6k8s.suite.seen import error
from pytest_ipv6k8s.words import listed

DEAD_ITSELF = told("endpoint does not answer")
NOT_LOADED = Cause(
    "the proxy's rules for this family were not loaded: one bad rule rejects the whole table",
    shown=told("kube-proxy .* answers at"),
    excluded=DEAD_ITSELF,
)
BRIDGE = Cause(
    "between pods of one node the bridge passes by the packet filter, and nobody translates back "
    "(net.bridge.bridge-nf-call-ip6tables is 0)",
    shown=told("bridge-nf-call-ip6?tables is 0"),
    excluded=either(DEAD_ITSELF, told(r"endpoint answers node \S+$")),
)
STOPPED = Cause(
    "the Service proxy (kube-proxy or its replacement) is stopped or lags on that node",
    shown=told(r"DaemonSet \S+ (has no pod|is not Ready)|kube-proxy .* does not answer at"),
    excluded=DEAD_ITSELF,
)
NO_WAY = only(
    DEAD_ITSELF,
    "the endpoint itself does not answer that node: a filter or a policy at the pod, or the way "
    "there (ADDR-16, ADDR-17)",
)
PROXY_CAUSES = (NO_WAY, BRIDGE, STOPPED, NOT_LOADED)
UDP_CAUSES = (
    NO_WAY,
    BRIDGE,
    NOT_LOADED,
    unless(DEAD_ITSELF, "a packet filter on that node drops UDP to cluster IPs"),
)
PROXY_LOOK = "kubectl -n kube-system logs -l k8s-app=kube-proxy --tail=50"
svc = partial(check, families=Family, causes=PROXY_CAUSES, look=PROXY_LOOK)
LOST = told("connections failed")
DATAGRAMS, MOST = 10, 7
REFUSALS_ASKED, REFUSALS_OF_TEN = 3, 6
REFUSED_IN = 2.0
REFUSALS = ("ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EACCES", "EPERM")
"""EPERM: a proxy that works on sockets refuses before there is a packet (cilium/cilium 45184)."""


def _connection(address: str, timeout: float = PATIENT) -> tcp_connect.Request:
    return tcp_connect.Request(address, TCP, timeout=timeout)


def _echoes(probes: Probes, address: str) -> list[Record[tcp_connect.Answer]]:
    """Connect to a Service once from every node, when it works or could have."""

    def ask() -> list[Record[tcp_connect.Answer]]:
        return probes.from_every_node(_connection(address))

    await_services(probes, ask, lambda record: record.answer.echoed)
    return ask()


@svc(
    "SVC-01",
    beside=[Beside.HOSTS],
    rests_on=["ADDR-16"],
    rests_partly_on=["ADDR-15", "SVC-07"],
    features=[Feature.PEER],
    references=["Kubernetes docs: Service, type ClusterIP", "KEP-563"],
)
def test_cluster_ip_answers_over_tcp(family: Family, probes: Probes, services: Services) -> None:
    """A cluster IP answers over TCP on every node, with the endpoint there or elsewhere."""
    address = services["peer"].cluster_ip(family)

    expect_every_try(
        lambda tries, timeout: probes.from_every_node(*[_connection(address, timeout)] * tries),
        echoed_by(probes.peer),
        expected=f"pod {probes.peer.name} echoes through the Service, asked from every node",
        ready_at=probes.ready_at,
        on_failure=lambda failed: tell_endpoint(
            probes, failed, tcp_connect.Request(probes.peer.address(family), TCP_PORT)
        ),
    )


@svc(
    "SVC-02",
    beside=[Beside.HOSTS],
    causes=UDP_CAUSES,
    rests_partly_on=["SVC-01", "ADDR-16", "ADDR-17"],
    features=[Feature.PEER],
    references=["Kubernetes docs: Service, type ClusterIP", "KEP-563"],
)
def test_cluster_ip_answers_over_udp(family: Family, probes: Probes, services: Services) -> None:
    """A cluster IP answers over UDP on every node, with the endpoint there or elsewhere.

    Seven of ten datagrams without another try: loss as such is ADDR-17.
    """
    address = services["peer"].cluster_ip(family)

    def most_came_back(record: Record[udp_exchange.Answer]) -> bool:
        return record.answer.echoed >= MOST and record.answer.pod == probes.peer.name

    def ask() -> list[Record[udp_exchange.Answer]]:
        return probes.from_every_node(
            udp_exchange.Request(address, UDP, count=DATAGRAMS, timeout=PATIENT)
        )

    await_services(probes, ask, most_came_back)
    records = ask()
    echoed = sum(record.answer.echoed for record in records)
    remark(f"{echoed} of {DATAGRAMS * len(records)} datagrams came back")
    failed = [record for record in records if not most_came_back(record)]
    if failed:
        itself = udp_exchange.Request(probes.peer.address(family), UDP_PORT, count=DATAGRAMS)
        tell_endpoint(probes, failed, itself)
    expect_all(
        records,
        most_came_back,
        expected=f"at least {MOST} of {DATAGRAMS} echoes of pod {probes.peer.name} on every node",
    )


@svc(
    "SVC-04",
    rests_partly_on=["SVC-01", "ADDR-16"],
    features=[Feature.PEER, Feature.HOST_NETWORK_PROBES],
    references=["Kubernetes docs: Service, type ClusterIP"],
    causes=(
        only(
            some(error("ENETUNREACH")),
            "the node has no route for this family: a default route is enough, for cluster IPs, "
            "too",
        ),
        unless(
            some(error("ENETUNREACH")),
            "the node has no address of this family that the endpoint can answer to",
        ),
        NO_WAY,
        *(unless(some(error("ENETUNREACH")), cause) for cause in (STOPPED, NOT_LOADED)),
    ),
)
def test_cluster_ip_answers_to_nodes(family: Family, probes: Probes, services: Services) -> None:
    """A cluster IP answers to processes in the network namespace of every node."""
    address = services["peer"].cluster_ip(family)

    expect_every_try(
        lambda tries, timeout: probes.ask_each(
            lambda probe: [_connection(address, timeout)] * tries, among=probes.hosts
        ),
        echoed_by(probes.peer),
        expected=f"pod {probes.peer.name} echoes through the Service, asked by every node",
        ready_at=probes.ready_at,
        on_failure=lambda failed: tell_endpoint(
            probes, failed, tcp_connect.Request(probes.peer.address(family), TCP_PORT)
        ),
    )


@svc(
    "SVC-05",
    rests_partly_on=["SVC-01", "ADDR-16"],
    features=[Feature.PEER],
    references=["Kubernetes docs: debug Services, hairpin"],
    causes=[
        "hairpin mode is off on the bridge port or in the CNI's configuration",
        "the Service proxy does not masquerade hairpin traffic in this family",
        "Cilium before 1.19 with kube-proxy: no IPv6 loopback (cilium/cilium 26733)",
    ],
    look="bridge -d link; cat /etc/cni/net.d/* (on the node)",
)
def test_endpoint_reaches_itself_through_its_service(
    family: Family, probes: Probes, services: Services
) -> None:
    """A pod reaches itself through a Service that has it as an endpoint (hairpin), on every node.

    On the first node it is the only endpoint, and all connections come back. On others there are
    several: there a node is at fault that never gets one back and loses some.
    """
    address = services["peer"].cluster_ip(family)

    expect_every_try(
        lambda tries, timeout: probes.peer.ask_all([_connection(address, timeout)] * tries),
        echoed_by(probes.peer),
        expected="the pod's own echo",
        ready_at=probes.ready_at,
    )
    expect_hairpin_beside_others(probes, services["every"].cluster_ip(family))


@svc(
    "SVC-06",
    beside=[Beside.PEERS],
    rests_on=["SVC-01"],
    rests_partly_on=["ADDR-16", "SVC-07"],
    features=[Feature.PEER],
    references=["Kubernetes docs: virtual IPs and Service proxies"],
    causes=[
        only(LOST, "the way from that node to one endpoint is broken (see ADDR-15, ADDR-16)"),
        only(
            LOST,
            "between pods of one node the bridge passes by the packet filter "
            "(net.bridge.bridge-nf-call-ip6tables is 0)",
        ),
        unless(LOST, "the proxy's rules name only some endpoints of this family"),
        unless(LOST, "session affinity or a topology preference is forced by policy"),
    ],
    look=PROXY_LOOK,
)
def test_all_endpoints_get_connections(family: Family, probes: Probes, services: Services) -> None:
    """Every connection to a Service is answered on every node, and together all endpoints are.

    With twenty tries for each endpoint a proxy that chooses at random misses one once in a hundred
    million runs. A proxy may also choose by the client's address; then what no client was sent to
    is told, and not judged.
    """
    clients = reached_from_every_node(probes, services["every"].cluster_ip(family))

    expect_all_answered(clients, probes)
    expect_all_reached(clients, probes)


@check(
    "SVC-11",
    beside=[Beside.PEERS],
    rests_on=["SVC-01"],
    rests_partly_on=["ADDR-16"],
    stacks=DUAL_STACK,
    references=["KEP-563: Services"],
    causes=["the EndpointSlices of the two families differ (SVC-07)", STOPPED, NOT_LOADED],
    look=PROXY_LOOK,
)
def test_both_cluster_ips_have_the_same_backends(
    cluster: ClusterView, probes: Probes, services: Services
) -> None:
    """The two cluster IPs of a dual-stack Service lead to the same pods."""
    ours = {probe.name for probe in probes}
    first, second = (
        reached_from_every_node(probes, services["every"].cluster_ip(family))
        for family in cluster.stack.families
    )

    expect_all_answered([*first, *second], probes)
    if any(client.spread for client in (*first, *second)):
        one, other = ours & pods_behind(first), ours & pods_behind(second)
        fewer = (first if len(one) < len(other) else second)[0]
        expect(
            one and one == other,
            expected="the same pods behind both",
            actual=fewer.shown,
            say=lambda _: f"{listed(sorted(one))} and {listed(sorted(other))}",
        )
    else:
        remark("each client is sent to one endpoint, so which there are was not compared")


@svc(
    "SVC-12",
    rests_on=["SVC-01"],
    rests_partly_on=["ADDR-16"],
    features=[Feature.PEER],
    references=["Kubernetes docs: using source IP, type ClusterIP"],
    causes=[
        "the Service proxy masquerades everything (masqueradeAll), or its cluster range or "
        "local-traffic detection lacks this family (clusterCIDR, detectLocal)",
        "the CNI masquerades traffic between pods (ADDR-20)",
    ],
    look="kubectl -n kube-system get configmap kube-proxy -o yaml",
)
def test_cluster_ip_keeps_the_source_address(
    family: Family, probes: Probes, services: Services
) -> None:
    """A pod behind a cluster IP sees the address of the pod that asks."""
    address = services["peer"].cluster_ip(family)

    expect_untranslated(_echoes(probes, address), probes, family)


@svc(
    "SVC-13",
    rests_on=["SVC-01"],
    features=[Feature.PEER],
    references=["Kubernetes docs: virtual IPs and Service proxies", "RFC 4443 section 3.1"],
    causes=[
        only(
            some(lambda record: record.answer.connected),
            "a stranger answers: the address leaves the node towards a transparent proxy",
        ),
        unless(
            told("does not report an exceeded"),
            "the proxy drops instead of rejecting in this family (no ICMPv6 reject, "
            "KUBE-MARK-DROP)",
        ),
        Cause(
            "ICMPv6 type 1 is filtered on the node",
            shown=told("does not report an exceeded"),
            excluded=told("reports an exceeded"),
        ),
    ],
)
def test_service_without_endpoints_refuses(
    family: Family, probes: Probes, services: Services
) -> None:
    """A Service without endpoints refuses connections in 2 s (our limit); they do not time out.

    Two round trips to another Service's endpoint come on top. Two of three first tries on each
    node. Where the asking node itself refuses, the kernel heeds it at the second SYN, after one
    second: the first refusal comes while the socket is still busy connecting. So a try takes two
    ICMPv6 errors, and nodes must send few of them in a row (RFC 4443 section 2.4; Linux before
    6.18: six, and one a second): the tries come one after the other.
    """
    empty, full = services["empty"].cluster_ip(family), services["peer"].cluster_ip(family)
    controls = _echoes(probes, full)
    expect_all(
        controls,
        lambda record: record.answer.echoed,
        expected="an echo where there is an endpoint, on every node",
    )
    limit = with_round_trips(REFUSED_IN, connecting(controls), 2)
    request = tcp_connect.Request(empty, TCP, timeout=limit)

    records = _asked_one_by_one(probes, request)
    if not all(_refused(record) or record.mark.doubted for record in records):  # not heard of yet
        await_services(probes, lambda: probes.from_every_node(request), _refused)
        records = _asked_one_by_one(probes, request)

    _tell_refusals(probes, family, records)
    expect_all(
        records,
        lambda record: not record.answer.connected,
        expected="nobody answers for the empty Service",
    )
    expect_rates(
        records,
        _refused,
        way=lambda record: record.source,
        least=REFUSALS_OF_TEN,
        expected=f"a refusal in less than {limit:.1f} s (our limit) on every node",
        say=str,
    )


def _tell_refusals(
    probes: Probes, family: Family, records: Sequence[Record[tcp_connect.Answer]]
) -> None:
    """Tell how many were refused, and of others whether refusals can get there."""
    silent = [r for r in records if not _refused(r) and not r.answer.connected]
    if silent:
        tell_errors(probes, family, silent)
    remark(f"{sum(map(_refused, records))} of {len(records)} connections refused at the first try")


def _asked_one_by_one(
    probes: Probes, request: tcp_connect.Request
) -> list[Record[tcp_connect.Answer]]:
    rounds = [probes.from_every_node(request) for _ in range(REFUSALS_ASKED)]
    return [record for one in rounds for record in one]


def _refused(record: Record[tcp_connect.Answer]) -> bool:
    return record.answer.error in REFUSALS
