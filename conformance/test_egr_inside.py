"""EGR: as whom pods are seen inside the cluster: by pods, through Services, and on nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pytest_ipv6k8s import (
    Beside,
    Family,
    Feature,
    Inconclusive,
    Record,
    check,
    expect_all,
    remark,
)
from pytest_ipv6k8s.addresses import same_address
from pytest_ipv6k8s.agent.ops import udp_exchange, udp_listen
from pytest_ipv6k8s.agent.ports import UDP_PORT
from pytest_ipv6k8s.causes import unless
from pytest_ipv6k8s.checks import FamiliesOf
from pytest_ipv6k8s.probe.services import UDP
from pytest_ipv6k8s.suite import Probe, Probes, Services
from pytest_ipv6k8s.suite.paths import await_services
from pytest_ipv6k8s.suite.seen import only_pods, only_services


def _heard_by_nodes(probes: Probes, family: Family) -> list[Record[udp_listen.Answer]]:
    """Have every pod send to all nodes, which answer nothing; return what each node heard."""
    if not probes.hosts:
        return []
    opened = probes.ask_each(
        lambda host: [udp_listen.Request(host.address(family))], among=probes.hosts
    )
    ports = {record.source: record.answer.port for record in opened if record.answer.port}
    hosts = [host for host in probes.hosts if host.name in ports]
    if not hosts:
        return []
    probes.ask_each(
        lambda probe: [
            udp_exchange.Request(
                host.address(family), ports[host.name], payload=probe.name, timeout=0.3
            )
            for host in hosts
        ]
    )
    return probes.ask_each(
        lambda host: [
            udp_listen.Request(
                host.address(family), ports[host.name], wanted=len(probes), timeout=0.3
            )
        ],
        among=hosts,
    )


def _sources_on_own_node(
    record: Record[udp_listen.Answer], probes: Probes
) -> Iterator[tuple[str, str]]:
    """Yield the pods of a node that it heard, and the address that each had there."""
    here = probes.named(record.source).node
    node_of = {probe.name: probe.node for probe in probes}
    for item in record.answer.received:
        pod = item.payload.split(" ")[0]
        if node_of.get(pod) == here:
            yield pod, item.source


def _expect_own_address_on_own_node(
    probes: Probes, own: Mapping[str, str], heard: Sequence[Record[udp_listen.Answer]]
) -> None:
    def hidden(record: Record[udp_listen.Answer]) -> list[str]:
        return [
            f"pod {pod} ({own[pod]}) was seen as {source} by its node"
            for pod, source in _sources_on_own_node(record, probes)
            if not same_address(source, own[pod])
        ]

    expect_all(
        heard,
        lambda record: not hidden(record),
        expected="the pod's own address, seen by its node",
        say=lambda record: "; ".join(hidden(record)),
    )
    seen = {pod for record in heard for pod, _ in _sources_on_own_node(record, probes)}
    remark(f"{len(seen)} of {len(own)} pods were seen by their own node")


@check(
    "EGR-05",
    beside=[Beside.HOSTS],
    rests_partly_on=["ADDR-16", "ADDR-17", "SVC-01", "SVC-02"],
    features=[Feature.PEER],
    families=Family,
    families_of=FamiliesOf.SERVICES,
    references=[
        "Kubernetes docs: the Kubernetes network model (no NAT between pods and nodes)",
        "Kubernetes docs: IP masquerade agent",
    ],
    causes=[
        unless(
            only_services,
            "the masquerade rule exempts too little: its cluster, Service or node ranges lack this "
            "family (nonMasqueradeCIDRs, natOutgoing pools, --cluster-cidr, native routing CIDR)",
        ),
        unless(
            only_pods,
            "the Service proxy cannot tell local traffic in this family (detectLocal, clusterCIDR)",
        ),
    ],
    look="ip6tables -t nat -S POSTROUTING; nft list ruleset (on the node)",
)
def test_nothing_is_masqueraded_inside(family: Family, probes: Probes, services: Services) -> None:
    """Pods keep their own address towards pods, cluster IPs and their node, over UDP as well.

    A node is asked through its host-network probe, where these may run; what it heard is told
    beside the verdict. What other nodes than the pod's own see is recorded and not judged: many
    CNIs exempt the cluster range only, and the network model says nothing of it. A path without an
    answer is left open.
    """
    address = services["peer"].cluster_ip(family)
    own = {probe.name: probe.address(family) for probe in probes}

    def through_service(probe: Probe) -> list[udp_exchange.Request]:
        return [udp_exchange.Request(address, UDP, count=3)] if probe is not probes.peer else []

    await_services(
        probes, lambda: probes.ask_each(through_service), lambda record: record.answer.echoed
    )
    records = probes.ask_each(
        lambda probe: [
            *(
                udp_exchange.Request(other.address(family), UDP_PORT, count=3)
                for other in probes
                if other is not probe
            ),
            *through_service(probe),
        ]
    )
    on_nodes = _heard_by_nodes(probes, family)

    reached = [record for record in records if record.answer.seen_source]
    expect_all(
        reached,
        lambda record: same_address(record.answer.seen_source, own[record.source]),
        expected="the asking pod's own address as source",
    )
    _expect_own_address_on_own_node(probes, own, on_nodes)
    silent = [record for record in records if not record.answer.seen_source]
    if silent:
        raise Inconclusive(f"{len(silent)} of {len(records)} paths gave no answer: {silent[0]}")
