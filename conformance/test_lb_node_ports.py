"""LB: ports of nodes, at which Services answer."""

from __future__ import annotations

from pytest_ipv6k8s import Family, Feature, check, remark
from pytest_ipv6k8s.addresses import first_of_each_family, in_any
from pytest_ipv6k8s.agent.ops import tcp_connect, udp_exchange
from pytest_ipv6k8s.causes import first, told, unless
from pytest_ipv6k8s.errors import NothingToJudge
from pytest_ipv6k8s.probe.services import TCP, UDP
from pytest_ipv6k8s.suite import ClusterView, Probes, Services
from pytest_ipv6k8s.suite.paths import expect_every_try
from pytest_ipv6k8s.suite.rates import TRIES
from pytest_ipv6k8s.suite.seen import refused


@check(
    "LB-01",
    families=Family,
    features=[Feature.NODE_PORT],
    rests_partly_on=["SVC-06"],
    references=["Kubernetes docs: Service, type NodePort", "KEP-563: Services"],
    causes=[
        unless(
            refused,
            "a firewall or security group closes the node ports (30000-32767 by default) of the "
            "node",
        ),
        first(refused, "the Service proxy serves node ports at some of the node's addresses only"),
        first(
            told(r"DaemonSet \S+ (has no pod|is not Ready)"),
            "the Service proxy of the node is stopped, or has no rules for this family",
        ),
    ],
    look="kubectl -n kube-system get configmap kube-proxy -o yaml",
)
def test_node_ports_answer_at_every_node(
    family: Family, cluster: ClusterView, probes: Probes, services: Services
) -> None:
    """A node port answers over TCP at the InternalIP of every node, to pods of every node.

    Nodes with a probe are asked, from all of them: ten connections without another try, of which
    all have to be answered. Where kube-proxy is told to serve some ranges only (nodePortAddresses),
    addresses outside of them are left out. How many datagrams come back over UDP is told and not
    judged: nodes may be firewalled against datagrams, and Kubernetes' own conformance asks by TCP.
    """
    service, addresses = services["nodeport"], _node_addresses(family, cluster, probes)
    tcp = [(address, service.node_port(TCP)) for address in addresses]
    udp = [
        udp_exchange.Request(address, service.node_port(UDP), count=TRIES) for address in addresses
    ]

    expect_every_try(
        lambda tries, timeout: probes.from_every_node(
            *(tcp_connect.Request(*to, timeout=timeout) for to in tcp for _ in range(tries))
        ),
        lambda record: record.answer.echoed,
        expected="an echo at every node's address",
        ready_at=probes.ready_at,
    )
    records = probes.from_every_node(*udp)
    echoed = sum(record.answer.echoed for record in records)
    remark(f"{echoed} of {TRIES * len(records)} datagrams came back over UDP")


def _node_addresses(family: Family, cluster: ClusterView, probes: Probes) -> list[str]:
    """Return the first InternalIP of each node with a probe, where it serves node ports.

    Raises:
        NothingToJudge: there is none.
    """
    probed, ranges = {probe.node for probe in probes.one_per_node}, cluster.node_port_addresses
    found = [
        ip
        for node in cluster.nodes
        if node.name in probed
        for ip in first_of_each_family(node.internal_ips)
        if Family.of(ip) is family and (not ranges or in_any(ip, ranges))
    ]
    if not found:
        limited = f" in {', '.join(ranges)} (nodePortAddresses of kube-proxy)" if ranges else ""
        raise NothingToJudge(f"no node with a probe has an InternalIP of {family.value}{limited}")
    return found
