"""Who answers behind a Service, and whether everybody does, asked from every node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_ipv6k8s.agent.ops import tcp_connect
from pytest_ipv6k8s.errors import Inconclusive
from pytest_ipv6k8s.evidence import Record, mark
from pytest_ipv6k8s.expectations import expect_all, remark
from pytest_ipv6k8s.probe.probes import Probe, Probes
from pytest_ipv6k8s.probe.services import TCP
from pytest_ipv6k8s.suite.paths import ONE_SYN, PATIENT, await_services
from pytest_ipv6k8s.suite.rates import fewest_by_chance, most_by_chance

TRIES_PER_ENDPOINT = 20
SOON = 0.9
"""Seconds for a connection: TCP repeats itself after one, and a proxy may then choose anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """What one probe got through a Service.

    Attributes:
        probe: who asked.
        endpoints: how many pods are behind the Service.
        is_endpoint: whether it is one of them.
        records: its connections.
    """

    probe: Probe
    endpoints: int
    is_endpoint: bool
    records: tuple[Record[tcp_connect.Answer], ...]

    @property
    def pods(self) -> frozenset[str]:
        """The pods that answered."""
        return frozenset(record.answer.pod for record in self.records) - {""}

    @property
    def spread(self) -> bool:
        """Whether it is sent to more than one pod."""
        return len(self.pods) > 1

    @property
    def met_itself(self) -> bool:
        """Whether one connection at least came back to the pod that asked."""
        return self.probe.name in self.pods

    @property
    def lost(self) -> tuple[Record[tcp_connect.Answer], ...]:
        """The connections without an echo."""
        return tuple(record for record in self.records if not record.answer.echoed)

    @property
    def loses_itself(self) -> bool:
        """Whether what would come back to itself is lost.

        A proxy may always send a client to one other pod: then only what a network loses is lost,
        fewer than go to each of several endpoints.
        """
        one_of_several_others = len(self.pods) == 1 < self.endpoints - 1
        if self.met_itself or one_of_several_others:
            return False
        return len(self.lost) >= fewest_by_chance(len(self.records), 1 / self.endpoints)

    @property
    def failed(self) -> tuple[Record[tcp_connect.Answer], ...]:
        """The connections that failed, but not those that may have led to itself.

        Whether a pod reaches itself through a Service is SVC-05. Where it does not, as in Cilium
        before 1.19, it loses its own share of the connections.
        """
        most = most_by_chance(len(self.records), 1 / self.endpoints)
        alone = self.is_endpoint and not self.met_itself and self.endpoints > 1
        return () if alone and len(self.lost) <= most else self.lost

    def missing(self, endpoints: Sequence[Probe]) -> list[Probe]:
        """Return the endpoints that it was not sent to, but for itself."""
        return [each for each in endpoints if each.name not in self.pods | {self.probe.name}]

    @property
    def shown(self) -> Record[tcp_connect.Answer]:
        """The connection that stands for all: one that failed, if one did."""
        return (*self.failed, *self.records)[0]

    def told(self, endpoints: Sequence[Probe]) -> str:
        """Put what failed into words, and which endpoints of several never answered."""
        text = f"{len(self.failed)} of {len(self.records)} connections failed: {self.shown}"
        dead = self.missing(endpoints)
        return f"{text}; none answered by {_named(dead)}" if self.pods and dead else text

    def told_of_itself(self, record: Record[tcp_connect.Answer]) -> str:
        """Put into words that none came back, with one that was lost."""
        return f"none, and {len(self.lost)} of {len(self.records)} lost: {record}"


def reached_from_every_node(probes: Probes, address: str) -> list[Client]:
    """Ask a Service with all probes behind it from every node, by a pod not behind it if there is.

    A proxy may know some endpoints before others: it is waited for until each client has met all
    of them, no longer than a cluster may need.

    Args:
        probes: who may ask.
        address: the cluster IP.
    """
    beside = {probe.node: probe for probe in probes.peers}
    asked = [beside.get(probe.node, probe) for probe in probes.one_per_node]
    soon, patient = (tcp_connect.Request(address, TCP, timeout=t) for t in (ONE_SYN, PATIENT))

    def met_all(client: Client) -> bool:
        spoilt = any(record.mark.doubted for record in client.records)
        return spoilt or not (client.failed or client.missing(probes))

    await_services(probes, lambda: _clients(probes, asked, soon), met_all)
    return _clients(probes, asked, patient)


def _clients(probes: Probes, asked: Sequence[Probe], request: tcp_connect.Request) -> list[Client]:
    tries = [request] * (TRIES_PER_ENDPOINT * len(probes))
    records = probes.ask_each(lambda probe: tries, among=asked)
    return [
        Client(
            probe=probe,
            endpoints=len(probes),
            is_endpoint=probe in tuple(probes),
            records=tuple(record for record in records if record.source == probe.name),
        )
        for probe in asked
    ]


def expect_hairpin_beside_others(probes: Probes, address: str) -> None:
    """Expect that a pod of each node but the peer's reaches itself by a Service with all behind it.

    With twenty tries for each endpoint it is sent to itself but once in a hundred million runs,
    unless its proxy always sends a client to one pod.

    Args:
        probes: who is behind it.
        address: the cluster IP.

    Raises:
        Unmet: on a node none came back to the pod itself, and as many were lost as go to itself.
    """
    asked = [probe for probe in probes.one_per_node if probe.node != probes.peer.node]
    if not asked:
        return
    request = tcp_connect.Request(address, TCP, timeout=SOON)

    def ask() -> list[Client]:
        return _clients(probes, asked, request)

    def clear(client: Client) -> bool:
        return client.met_itself or bool(client.lost) or not client.spread

    asked_once = ask()
    if not all(map(clear, asked_once)):  # some rules may not be there yet
        await_services(probes, ask, clear)
        asked_once = ask()
    elsewhere = [c.probe.node for c in asked_once if not c.met_itself and not c.lost]
    if elsewhere:
        remark(f"not sent to themselves, so not judged: pods on {', '.join(elsewhere)}")
    mark([record for client in asked_once for record in client.records], failed=False)
    expect_all(
        [client for client in asked_once if client.lost],
        lambda client: not client.loses_itself,
        expected="one connection at least that comes back to the pod which asks, on every node",
        say=lambda client: client.told_of_itself(client.lost[0]),
        shown=lambda client: client.lost[0],
    )


def pods_behind(clients: Sequence[Client]) -> frozenset[str]:
    """Return the pods that answered anybody."""
    return frozenset().union(*(client.pods for client in clients))


def expect_all_answered(clients: Sequence[Client], endpoints: Sequence[Probe]) -> None:
    """Expect that every connection was answered, and tell how many were.

    Args:
        clients: who asked.
        endpoints: those behind the Service.

    Raises:
        Unmet: some were not; carries one for each client, with the endpoints that never answer.
    """
    records = [record for client in clients for record in client.records]
    good = sum(record.answer.echoed for record in records)
    remark(f"{good} of {len(records)} connections at the first try")
    mark(records, failed=False)
    expect_all(
        clients,
        lambda client: not client.failed,
        expected="an echo on every connection",
        say=lambda client: client.told(endpoints),
        shown=lambda client: client.shown,
    )


def _named(probes: Sequence[Probe]) -> str:
    return ", ".join(f"pod {probe.name} (node {probe.node})" for probe in probes)


def expect_all_reached(clients: Sequence[Client], endpoints: Sequence[Probe]) -> None:
    """Expect that every client is sent to all endpoints, or, if to one only, that they differ.

    Raises:
        Unmet: a client is sent to several endpoints, but not to all.
        Inconclusive: all clients are sent to one and the same.
    """
    spreading = [client for client in clients if client.spread]
    expect_all(
        spreading,
        lambda client: not client.missing(endpoints),
        expected="connections to every endpoint from every node",
        say=lambda client: (
            f"node {client.probe.node} never reached {_named(client.missing(endpoints))}"
        ),
        shown=lambda client: client.shown,
    )
    missed = [each for each in endpoints if all(each in c.missing(endpoints) for c in clients)]
    if missed and not spreading:
        remark(f"no client was sent to {_named(missed)}: each is sent to one endpoint")
        if len(pods_behind(clients)) == 1:
            raise Inconclusive("all clients are sent to one and the same endpoint")
