"""The DNS that pods have: asked from every node, its replies read and judged.

Whom a pod asks stands in its resolv.conf, whatever serves that. Where it is the address of a
Service, that Service's other addresses are asked as well, and the servers behind it one by one:
through the Service's address alone, a dead one of three is often not met.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.agent.ops import dns_exchange, network_state
from pytest_ipv6k8s.dns_messages import Reply, query, reply
from pytest_ipv6k8s.errors import Inconclusive
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.expectations import expect_all, remark
from pytest_ipv6k8s.kube.resolver import DnsServer
from pytest_ipv6k8s.kube.view import ClusterView
from pytest_ipv6k8s.probe.probes import Probe, Probes
from pytest_ipv6k8s.suite.paths import await_services
from pytest_ipv6k8s.suite.rates import TRIES, expect_rates

Exchange = Record[dns_exchange.Answer]
COREDNS_LOOK = "kubectl get configmaps -A --field-selector metadata.name=coredns -o yaml"
EACH_BY_ALL = 8
"""As many servers are asked from every node; of more, each is asked from one node."""
PATIENCE = 2.0
"""Seconds in which a first try has to be answered: our limit, many times any round trip."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a probe asks."""

    address: str
    port: int = 53

    def request(
        self, wire: str, transport: str = "udp", timeout: float = 5.0, sends: int = 3
    ) -> dns_exchange.Request:
        """Return the request that asks there."""
        return dns_exchange.Request(self.address, wire, transport, self.port, timeout, sends)


class ClusterDns:
    """The DNS that the probes have, asked from every node.

    Args:
        cluster: whose it is.
        probes: who asks.
    """

    def __init__(self, cluster: ClusterView, probes: Probes) -> None:
        self._cluster = cluster
        self._probes = probes

    @functools.cached_property
    def states(self) -> dict[str, network_state.Answer]:
        """What each probe in the pod network sees of itself, by its name."""
        records = self._probes.ask_each(lambda _: [network_state.Request()])
        return {record.source: record.answer for record in records}

    @functools.cached_property
    def servers(self) -> tuple[DnsServer, ...]:
        """The servers behind the Service that has the nameserver's address."""
        return self._cluster.dns_servers()

    def second_try(self, probe: Probe) -> float:
        """Return after how many seconds a probe's C library asks again, at the soonest.

        glibc waits for the ``timeout`` of resolv.conf(5), musl for that over its ``attempts``.
        """
        options = dict(option.partition(":")[::2] for option in self.states[probe.name].options)
        timeout, attempts = (
            int(text) if (text := options.get(key, "")).isdecimal() else usual
            for key, usual in (("timeout", 5), ("attempts", 2))
        )
        return min(timeout, 5) / max(attempts, 2)

    def addresses(self, probe: Probe) -> list[Address]:
        """Return a probe's nameservers, and the other addresses of the Service that has one.

        Raises:
            Inconclusive: it has none; DNS-03 judges that.
        """
        own = self.states[probe.name].nameservers
        if not own:
            raise Inconclusive(f"pod {probe.name} has no nameserver")
        service = self._cluster.dns
        others = service.cluster_ips if service else ()
        reached = [address for address in others if probe.has(Family.of(address))]
        return [Address(address) for address in dict.fromkeys((*own, *reached))]

    def servers_for(self, probe: Probe, transport: str = "udp") -> list[Address]:
        """Return the servers that one of :attr:`Probes.one_per_node` asks one by one."""
        one_per_node = self._probes.one_per_node
        place, step = one_per_node.index(probe), len(one_per_node)
        chosen = self.servers if len(self.servers) <= EACH_BY_ALL else self.servers[place::step]
        return [
            Address(server.address, server.ports[transport])
            for server in chosen
            if transport in server.ports and probe.has(Family.of(server.address))
        ]

    def measure(
        self, names: Sequence[str], record_type: str, transport: str, *, patience: float = PATIENCE
    ) -> list[Exchange]:
        """Ask from every pod ten times, each from a port of its own and without a retry.

        Every pod asks its nameservers, one on every node also the servers behind them.

        Args:
            names: one for each try, or one for all.
            record_type: A, AAAA and so on.
            transport: udp or tcp.
            patience: seconds in which a try has to be answered; over TCP always five, as the
                kernel sends again what is lost.
        """
        self._remark_who_was_asked()
        wires = [query(name, record_type) for name in names] * (TRIES // len(names))
        patience = patience if transport == "udp" else 5.0
        nodes = self._probes.one_per_node

        def build(probe: Probe) -> list[dns_exchange.Request]:
            servers = self.servers_for(probe, transport) if probe in nodes else []
            asked = (*self.addresses(probe), *servers)
            return [a.request(wire, transport, patience, 1) for wire in wires for a in asked]

        return self._probes.ask_each(build)

    def _remark_who_was_asked(self) -> None:
        if not self.servers:
            why = "no server is ready behind" if self._cluster.dns else "no Service has"
            remark(f"{why} the address of the pods' nameserver: asked there only")
        elif len(self.servers) > EACH_BY_ALL:
            remark(f"each of {len(self.servers)} DNS servers was asked from one node")

    def expect_measured(
        self,
        records: Sequence[Exchange],
        expected: str,
        condition: Callable[[Exchange], object] | None = None,
    ) -> None:
        """Expect what :meth:`measure` found seven times of ten on each way; NOERROR by default."""
        judge = condition or has_no_error
        good = sum(bool(judge(record)) for record in records)
        remark(f"{good} of {len(records)} first tries were answered")
        expect_rates(records, judge, way=way_of, expected=expected, say=self.say)

    def ask(
        self, name: str, record_type: str, *, validating: bool = False, times: int = 1
    ) -> list[Exchange]:
        """Ask for a name from every node, as a stub resolver does: over TCP what was truncated.

        Args:
            name: the full name, with a final dot.
            record_type: A, AAAA and so on.
            validating: ask as a client does that validates itself (DO and CD set).
            times: how often each server is asked.

        Raises:
            Unmet: some servers do not answer.
        """
        records = self._round(query(name, record_type, validating=validating), times)
        expected = f"an answer for {name} {record_type}"
        expect_all(records, answered, expected=expected, say=self.say)
        return records

    def _round(self, wire: str, times: int = 1) -> list[Exchange]:
        def build(probe: Probe) -> list[dns_exchange.Request]:
            asked = [*self.addresses(probe), *self.servers_for(probe)]
            return [address.request(wire) for address in asked] * times

        records = self._probes.ask_each(build, among=self._probes.one_per_node)
        return [self._in_full(record) for record in records]

    def _in_full(self, record: Exchange) -> Exchange:
        """Ask again over TCP when a reply is truncated (RFC 7766 section 5)."""
        found = reply(record.answer.wire)
        if found is None or not found.truncated:
            return record
        place = Address(record.request["server"], record.request["port"])
        request = place.request(record.request["wire"], "tcp")
        return self._probes.named(record.source).ask(request)

    def expect(self, name: str, record_type: str, wanted: set[str], what: str = "") -> None:
        """Expect that a name has just these records of a type, in every reply.

        Args:
            name, record_type: the question.
            wanted: the data of the records.
            what: what they are, as a phrase; by default the question.

        Raises:
            Unmet: some replies have others.
        """
        records = self.ask(name, record_type)
        expect_data(records, record_type, wanted, what or f"{name} {record_type}", self.say)

    def await_records(self, name: str, record_type: str, wanted: set[str]) -> None:
        """Wait until DNS knows an object that we made; then expect its records in every reply.

        Raises:
            Unmet: some servers do not answer, or have others.
        """
        wire = query(name, record_type)
        await_services(
            self._probes,
            lambda: self._round(wire),
            lambda record: data_of(record, record_type) == wanted,
        )
        self.expect(name, record_type, wanted)

    def say(self, record: Exchange) -> str:
        """Return what a reply says, and which pod on which node was asked for it."""
        server = next((s for s in self.servers if s.address == record.request["server"]), None)
        return f"{describe(record)}; that is {server}" if server else describe(record)


def expect_data(
    records: Iterable[Exchange],
    record_type: str,
    wanted: set[str],
    what: str,
    say: Callable[[Exchange], str] | None = None,
) -> None:
    """Expect that replies have just these records of a type; see :meth:`ClusterDns.expect`."""
    expect_all(
        records,
        lambda record: data_of(record, record_type) == wanted,
        expected=f"{what}: {', '.join(sorted(wanted)) or 'none'}",
        say=say or describe,
    )


def way_of(record: Exchange) -> tuple[str, str, int]:
    """Return who asked where."""
    return record.source, record.request["server"], record.request["port"]


def answered(record: Exchange) -> bool:
    """Tell whether a probe got a DNS message in reply."""
    return reply(record.answer.wire) is not None


def has_no_error(record: Exchange) -> bool:
    """Tell whether a probe got a reply that says NOERROR."""
    found = reply(record.answer.wire)
    return found is not None and found.rcode == "NOERROR"


def is_settled(record: Exchange) -> bool:
    """Tell whether a probe got a reply of somebody who knows: NOERROR or NXDOMAIN."""
    found = reply(record.answer.wire)
    return found is not None and found.rcode in ("NOERROR", "NXDOMAIN")


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
