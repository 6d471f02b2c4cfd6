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


class ClusterDns:
    """The cluster's DNS, asked from every node.

    Args:
        cluster: whose it is.
        probes: who asks.
    """

    def __init__(self, cluster: ClusterView, probes: Probes) -> None:
        self._cluster = cluster
        self._probes = probes

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses of its Service."""
        return self._cluster.dns.cluster_ips

    def ask_once(
        self, name: str, record_type: str, *, servers: Iterable[str] = ()
    ) -> list[Exchange]:
        """Ask for a name once; see :meth:`ask` for the arguments."""
        wire = query(name, record_type)
        asked = tuple(servers) or self.addresses[:1]
        return self._probes.from_every_node(*(dns_exchange.Request(a, wire) for a in asked))

    def ask(
        self,
        name: str,
        record_type: str,
        *,
        servers: Iterable[str] = (),
        validating: bool = False,
    ) -> Sequence[Exchange]:
        """Ask for a name until every probe has a reply of every server.

        Args:
            name: the full name, with a final dot.
            record_type: A, AAAA and so on.
            servers: whom to ask, each as often as it is named; by default the first address.
            validating: ask as a client does that validates itself (DO and CD set).

        Raises:
            Unmet: some get none.
        """
        wire = query(name, record_type, validating=validating)
        asked = tuple(servers) or self.addresses[:1]
        return eventually(
            lambda: self._probes.from_every_node(*(dns_exchange.Request(a, wire) for a in asked)),
            answered,
            expected=f"an answer for {name} {record_type}",
        )

    def expect(self, name: str, record_type: str, wanted: set[str], what: str = "") -> None:
        """Expect that a name has just these records of a type.

        Args:
            name, record_type: the question.
            wanted: the data of the records.
            what: what they are, as a phrase; by default the question.

        Raises:
            Unmet: some replies have others.
        """
        records = self.ask(name, record_type)
        expect_data(records, record_type, wanted, what or f"{name} {record_type}")


def expect_data(records: Iterable[Exchange], record_type: str, wanted: set[str], what: str) -> None:
    """Expect that replies have just these records of a type; see :meth:`ClusterDns.expect`."""
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
