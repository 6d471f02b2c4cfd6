"""The cluster's DNS: asked from every node, its replies read and judged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_ipv6k8s.agent.ops import dns_exchange
from pytest_ipv6k8s.dns_messages import Reply, query, reply
from pytest_ipv6k8s.errors import Inconclusive
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.expectations import eventually, expect_all
from pytest_ipv6k8s.kube.view import ClusterView, Pod
from pytest_ipv6k8s.probe.probes import Probes

Exchange = Record[dns_exchange.Answer]
COREDNS_LOOK = "kubectl -n kube-system get configmap coredns -o yaml"


def ask(probes: Probes, servers: Iterable[str], name: str, record_type: str) -> list[Exchange]:
    """Ask each of these servers for a name once, from every node."""
    wire = query(name, record_type)
    return probes.from_every_node(*(dns_exchange.Request(server, wire) for server in servers))


def ask_until_answered(
    probes: Probes,
    servers: Sequence[str],
    name: str,
    record_type: str,
    *,
    validating: bool = False,
) -> Sequence[Exchange]:
    """Ask each of these servers for a name from every node, until each probe has a reply of each.

    Args:
        probes: who asks.
        servers: addresses; one that is named several times is asked several times.
        name: the full name, with a final dot.
        record_type: A, AAAA and so on.
        validating: ask as a client does that validates itself (DO and CD set).

    Raises:
        Unmet: some get none.
    """
    wire = query(name, record_type, validating=validating)
    requests = [dns_exchange.Request(server, wire) for server in servers]
    return eventually(
        lambda: probes.from_every_node(*requests),
        answered,
        expected=f"an answer for {name} {record_type}",
    )


def expect_data(records: Iterable[Exchange], record_type: str, wanted: set[str], what: str) -> None:
    """Expect that the records of a type in every reply are just these.

    Args:
        records: the replies.
        record_type: A, AAAA and so on.
        wanted: the data of these records.
        what: what they are, as a phrase.

    Raises:
        Unmet: some replies have others.
    """
    expect_all(
        records,
        lambda record: data_of(record, record_type) == wanted,
        expected=f"{what}: {', '.join(sorted(wanted)) or 'none'}",
        say=describe,
    )


def answered(record: Exchange) -> bool:
    """Tell whether a probe got a DNS message in reply."""
    return reply(record.answer.wire) is not None


def data_of(record: Exchange, record_type: str) -> set[str]:
    """Return the data of a type in the reply that a probe got; empty when there was none."""
    found = reply(record.answer.wire)
    return set(found.data(record_type)) if found else set()


def reply_of(record: Exchange) -> Reply:
    """Return the reply that a probe got.

    Raises:
        Inconclusive: there was none.
    """
    found = reply(record.answer.wire)
    if found is None:
        raise Inconclusive(f"no reply: {record}")
    return found


def describe(record: Exchange) -> str:
    """Return what a reply says in a line: the data of its answers, or its response code."""
    found = reply(record.answer.wire)
    if found is None:
        return f"{record.path}: {record.answer.error or 'no DNS message'}"
    data = ", ".join(f"{kind} {data}" for kind, _, data in found.records)
    return f"{record.path}: {found.rcode} {data or 'no data'}"


def pods_behind(cluster: ClusterView) -> list[Pod]:
    """Return the pods behind the Service of the cluster's DNS."""
    slices = cluster.slices("kube-system", cluster.dns.name)
    addresses = {address for item in slices for address in item.addresses}
    return [pod for pod in cluster.pods() if addresses & set(pod.ips)]
