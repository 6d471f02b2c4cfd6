"""The resolvers to which CoreDNS forwards: where it says so, and whether they live."""

from __future__ import annotations

from typing import Any

from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.agent.ops import dns_exchange, network_state, tcp_connect
from pytest_ipv6k8s.dns_messages import query
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.expectations import expect_all, remark
from pytest_ipv6k8s.kube import corefile
from pytest_ipv6k8s.kube.corefile import CorefileError, Upstream
from pytest_ipv6k8s.kube.resolver import Configuration
from pytest_ipv6k8s.kube.view import ClusterView
from pytest_ipv6k8s.probe.probes import Probes
from pytest_ipv6k8s.suite.dns import ClusterDns, answered


def expect_upstreams(cluster: ClusterView, dns: ClusterDns, probes: Probes, name: str) -> None:
    """Expect that no resolver is dead, where another of its family answers pods.

    Where none does, a policy may let CoreDNS alone out: that is told and not judged. So are
    resolvers of a family that our pods cannot send with: CoreDNS goes on to the next.

    Args:
        cluster, dns, probes: as checks have them.
        name: outside the cluster; any reply will do.
    """
    upstreams = [one for one in _upstreams(cluster, dns, probes) if one.address]
    families = {family for probe in probes for family in Family if probe.has(family)}
    families |= {family for state in dns.states.values() for family in _egress(state)}
    for family in Family:
        asked = [one for one in upstreams if Family.of(one.address) is family]
        texts = ", ".join(one.text for one in asked)
        if asked and family not in families:
            remark(f"pods have no {family.value} to ask {texts}")
        elif asked:
            _expect_alive(asked, probes, name)


def configuration(cluster: ClusterView) -> Configuration | None:
    """Return how CoreDNS is configured, None when we cannot know; tell what does not parse."""
    try:
        return cluster.dns_configuration()
    except CorefileError as error:
        remark(
            f"the Corefile does not parse: {error}; CoreDNS keeps the one before it until it "
            "restarts, and then does not start: mend it"
        )
        return None


def _upstreams(cluster: ClusterView, dns: ClusterDns, probes: Probes) -> list[Upstream]:
    found = configuration(cluster)
    if found is None:
        remark("to where names outside are forwarded is not known: no Corefile that we can read")
        return []
    listed: list[Upstream] = []
    for one in corefile.forwards(found.blocks):
        if one.is_file:
            listed += _of_nodes(dns, probes, one.text)
        elif one.address:
            listed.append(one)
        else:
            remark(f"what {one.text} in the Corefile means is not known")
    return list(dict.fromkeys(listed))


def _of_nodes(dns: ClusterDns, probes: Probes, file: str) -> list[Upstream]:
    """Return the resolvers of the nodes where DNS servers run, which a Corefile's file names."""
    nodes = {server.node for server in dns.servers}
    hosts = [host for host in probes.hosts if host.node in nodes] or list(probes.hosts)
    if not hosts:
        remark(f"who is in {file} of the nodes was not read: no host-network probe")
        return []
    states = probes.ask_each(lambda _: [network_state.Request()], among=hosts)
    return [corefile.upstream(address) for s in states for address in s.answer.nameservers]


def _egress(state: network_state.Answer) -> set[Family]:
    """Return the families with a default route: EKS gives IPv6 pods an IPv4 one, for egress only.

    See aws/amazon-vpc-cni-k8s, cmd/egress-cni-plugin: addresses of 169.254.172.0/22 on v4if0.
    """
    return {Family(route.family) for route in state.routes if route.destination == "default"}


def _expect_alive(asked: list[Upstream], probes: Probes, name: str) -> None:
    answers = {one.text: _asked(one, probes, name) for one in asked}
    alive = sorted(text for text, records in answers.items() if any(map(_lives, records)))
    if not alive:
        remark(f"no pod of ours may ask {', '.join(one.text for one in asked)} itself")
        return
    expect_all(
        answers,
        lambda text: text in alive,
        expected="an answer from every resolver to which CoreDNS forwards",
        say=lambda text: f"{text} answers no pod; {', '.join(alive)} do",
        shown=lambda text: answers[text][0],
    )


def _asked(one: Upstream, probes: Probes, name: str) -> list[Record[Any]]:
    """Ask a resolver from every node; of one that speaks no DNS in the clear, for a connection."""
    if one.transport == "dns":
        wire = query(name, "AAAA")
        return [*probes.from_every_node(dns_exchange.Request(one.address, wire, port=one.port))]
    return [*probes.from_every_node(tcp_connect.Request(one.address, one.port))]


def _lives(record: Record[Any]) -> bool:
    if isinstance(record.answer, tcp_connect.Answer):
        return record.answer.connected
    return answered(record)
