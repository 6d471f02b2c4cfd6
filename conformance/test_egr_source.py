"""EGR: as whom pods are seen, outside and inside."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import partial

from pytest_ipv6k8s import (
    WITH_IPV6,
    Beside,
    Family,
    Feature,
    Inconclusive,
    Record,
    check,
    expect,
    expect_all,
)
from pytest_ipv6k8s.addresses import Egress, in_any, same_address
from pytest_ipv6k8s.agent.ops import network_state, tcp_connect, udp_exchange, udp_listen
from pytest_ipv6k8s.external.egress import Observation, classify
from pytest_ipv6k8s.suite import ClusterView, ExternalTargets, Probes

SOURCE_PORTS = (19990, 19991)
UNIQUE_LOCAL = ("fc00::/7",)
UNCLEAR = "gateway or masquerade"
NAT_LOOK = "ip6tables -t nat -S POSTROUTING; nft list ruleset (on the node)"
egr = partial(check, stacks=WITH_IPV6, look=NAT_LOOK)


def _node_addresses(cluster: ClusterView, name: str | None = None) -> list[str]:
    return [
        ip
        for node in cluster.nodes
        if name in (None, node.name)
        for ip in (*node.internal_ips, *node.external_ips)
    ]


def _of_hosts(probes: Probes) -> dict[str, list[network_state.Address]]:
    """Return all addresses of the nodes, by node, where host-network probes may look."""
    if not probes.hosts:
        return {}
    records = probes.ask_each(lambda probe: [network_state.Request()], among=probes.hosts)
    return {probes.named(r.source).node: list(r.answer.addresses) for r in records}


def _style(
    probes: Probes, cluster: ClusterView, records: Sequence[Record[tcp_connect.Answer]]
) -> list[str]:
    """Return the style in which each pod was seen; ``none`` where nothing came back.

    What may be an address of the pod's node or not is ``gateway or masquerade``: the API names it
    for no node, and no host-network probe sees that node's.
    """
    on_nodes = _of_hosts(probes)
    nodes = _node_addresses(cluster)
    nodes += [item.address for found in on_nodes.values() for item in found]
    seen = [record for record in records if record.answer.seen_source]
    styles = dict(zip(map(id, seen), classify(_observed(probes, seen), nodes), strict=True))
    unclear = {
        id(record)
        for record in seen
        if styles[id(record)] is Egress.GATEWAY and probes.named(record.source).node not in on_nodes
    }
    return [
        UNCLEAR if id(record) in unclear else styles.get(id(record), Egress.NONE).value
        for record in records
    ]


def _observed(probes: Probes, seen: Sequence[Record[tcp_connect.Answer]]) -> list[Observation]:
    return [
        Observation(
            pod=probes.named(record.source).address(Family.V6),
            port=record.request["source_port"],
            source=record.answer.seen_source,
            seen_port=record.answer.seen_port,
        )
        for record in seen
    ]


@egr(
    "EGR-03",
    beside=[Beside.HOSTS],
    rests_on=["EGR-01"],
    rests_partly_on=["EGR-09"],
    features=[Feature.DUAL_TARGET_IDENTIFIES],
    references=["ipv6k8s.yaml: egress"],
    causes=[
        "the CNI's masquerading is not what was declared (ipMasq, natOutgoing, "
        "enable-ipv6-masquerade, ip-masq-agent)",
        "the masquerade rule lacks a node's pod range, or is missing on one node",
        "a gateway or router beyond the nodes translates, too",
    ],
)
def test_pods_look_outside_as_declared(
    probes: Probes, external: ExternalTargets, cluster: ClusterView
) -> None:
    """Packets of pods look outside as declared: native, masquerade, nptv6, gateway or none.

    Every pod asks from the same source ports. Seen with its own address it is *native*; with one of
    a node, *masquerade*; with a prefix swapped as RFC 6296 wants it and the port kept, *nptv6*;
    with any other, *gateway*; without an answer, *none*. An address that the API names for no node
    may yet be its: only a host-network probe can tell, and without one it is left open whether it
    is *gateway* or *masquerade*. Where no style is declared, all pods have to look alike. To see
    that nothing gets out proves something only while the target lives, so then it is asked whether
    it does.
    """
    declared = external.network.egress
    target, address = external.target("dual"), external.address("dual", Family.V6)

    records = probes.ask_each(
        lambda probe: [
            tcp_connect.Request(address, target.tcp, source_port=port) for port in SOURCE_PORTS
        ]
    )

    if any(record.answer.error == "EADDRINUSE" for record in records):
        raise Inconclusive(f"the source ports {SOURCE_PORTS} are taken in a probe")
    if any(record.answer.connected and not record.answer.seen_source for record in records):
        raise Inconclusive("the target does not say whom it saw: it runs another server")
    styles = _style(probes, cluster, records)
    if Egress.NONE.value in styles and (dead := external.out_of_order(probes)):
        raise Inconclusive(dead)
    if declared is Egress.GATEWAY:
        styles = [declared.value if style == UNCLEAR else style for style in styles]
    _expect_style(records, styles, declared.value if declared else "")


def _expect_style(
    records: Sequence[Record[tcp_connect.Answer]], styles: Sequence[str], declared: str
) -> None:
    """Expect that all pods were seen in the declared style, or in one and the same."""
    style = dict(zip(map(id, records), styles, strict=True))
    clear = [record for record in records if style[id(record)] != UNCLEAR]
    wanted = declared or next((style[id(record)] for record in clear), UNCLEAR)
    may_fit = wanted in (Egress.MASQUERADE.value, Egress.GATEWAY.value)
    expect_all(
        clear if may_fit else records,
        lambda r: style[id(r)] == wanted,
        expected=f"every pod seen as {wanted}",
        say=lambda r: f"{style[id(r)]}: {r}",
    )
    unclear = [record for record in records if style[id(record)] == UNCLEAR]
    if may_fit and unclear:
        raise Inconclusive(
            f"whose address {unclear[0].answer.seen_source} is, only a host-network probe on "
            f"the pod's node could tell: {unclear[0]}"
        )


@egr(
    "EGR-04",
    beside=[Beside.HOSTS],
    rests_on=["EGR-01"],
    rests_partly_on=["EGR-09"],
    features=[Feature.DUAL_TARGET_IDENTIFIES, Feature.MASQUERADE],
    references=["RFC 6724 section 5", "RFC 4862 section 5.5.4"],
    causes=[
        "masquerading takes the first address of the interface: a deprecated or temporary one",
        "the outgoing interface has link-local addresses only",
        "packets leave through another node than the pod's",
    ],
    look="ip -6 addr show scope global; conntrack -L -f ipv6 (on the node)",
)
def test_masqueraded_packets_bear_a_sane_address(
    probes: Probes, external: ExternalTargets, cluster: ClusterView
) -> None:
    """Masqueraded packets bear a global address of the pod's own node that is not deprecated.

    An address that the API does not name may yet be the node's; only a host-network probe can
    tell. Without one it is left open.
    """
    target, address = external.target("dual"), external.address("dual", Family.V6)

    records = probes.from_every_node(tcp_connect.Request(address, target.tcp))
    on_nodes = _of_hosts(probes)

    reached = [record for record in records if record.answer.seen_source]
    expect(reached, expected="an answer of the target", actual=records)
    for record in reached:
        node, source = probes.named(record.source).node, record.answer.seen_source
        expect(
            not in_any(source, ("fe80::/10",)),
            expected="no link-local source address",
            actual=record,
        )
        own = [item for item in on_nodes.get(node, []) if same_address(item.address, source)]
        unfit = [item for item in own if item.flags or item.scope != "global"]
        expect(not unfit, expected="an address in good order", actual=[record, *unfit])
        known = own or any(same_address(source, ip) for ip in _node_addresses(cluster, node))
        foreign = any(same_address(source, ip) for ip in _node_addresses(cluster))
        if not known and not foreign and node not in on_nodes:
            raise Inconclusive(f"whose address {source} is, only a host-network probe could tell")
        expect(known, expected=f"an address of node {node}", actual=record)


@egr(
    "EGR-12",
    rests_partly_on=["EGR-01", "EGR-02"],
    features=[Feature.SPEAKING_TARGET, Feature.EGRESS_STYLE],
    references=["ipv6k8s.yaml: egress", "RFC 4193 section 4.3"],
    causes=[
        "the CNI does not masquerade IPv6, or not this protocol or node, and pods have ULAs",
        "packets without a connection in conntrack (INVALID, notrack) leave untranslated",
        "no packet filter at the edge stops fc00::/7",
    ],
)
def test_no_unique_local_source_leaves(
    probes: Probes, external: ExternalTargets, cluster: ClusterView
) -> None:
    """A target outside never sees a packet of a pod with a unique local address (fc00::/7).

    The target listens for datagrams and answers none of them: it also hears those to whose source
    no reply could get. Two ULAs are the operator's own choice. An address that the API gives a
    node: then the target is in the nodes' own site. And the pod's own where *native* is declared:
    then the site routes pod ranges.
    """
    host, address = external.host("dual"), external.address("dual", Family.V6)

    port = host.ask(udp_listen.Request(address)).answer.port
    if not port:
        raise Inconclusive("the target could not open a port")
    asked = probes.ask_each(
        lambda probe: [
            udp_exchange.Request(address, port, count=2, payload=probe.name, timeout=0.4)
        ]
    )
    received = host.ask(udp_listen.Request(address, port, wanted=2 * len(probes), timeout=0.5))

    arrived = [item for item in received.answer.received if item.payload]
    chosen = _node_addresses(cluster)
    if external.network.egress is Egress.NATIVE:
        chosen += [probe.address(Family.V6) for probe in probes]
    leaked = {
        item.payload.split()[0]: item.source
        for item in arrived
        if _is_unique_local(item.source) and not any(same_address(item.source, a) for a in chosen)
    }
    expect_all(
        asked,
        lambda record: record.source not in leaked,
        expected="no source in fc00::/7",
        say=lambda record: f"{leaked[record.source]} on a datagram of {record.path}",
    )
    silent = {probe.name for probe in probes} - {item.payload.split()[0] for item in arrived}
    if silent:
        raise Inconclusive(f"no datagram of {sorted(silent)} arrived; see EGR-02")


def _is_unique_local(address: str) -> bool:
    return ipaddress.ip_address(address).version == 6 and in_any(address, UNIQUE_LOCAL)
