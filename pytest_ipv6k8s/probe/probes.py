"""Probes: pods that ask the network under test, and what a check can do with them."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, overload

from pytest_ipv6k8s.addresses import Family, endpoint
from pytest_ipv6k8s.agent import wire
from pytest_ipv6k8s.agent.ops import Request
from pytest_ipv6k8s.errors import Inconclusive
from pytest_ipv6k8s.evidence import Mark, Record, Recorder
from pytest_ipv6k8s.expectations import remark

A = TypeVar("A")
CA_FILE = "/ipv6k8s-ca/ca.crt"
IN_DOUBT = 2.0
"""Seconds for an answer that is known to be spoilt: TCP repeats itself once, after one.

No check waits longer for silence, so that this makes none of them believe in it sooner.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbePod:
    """Where a probe runs; ``ips`` are the pod's podIPs and ``host_ips`` its hostIPs."""

    name: str
    namespace: str
    node: str
    ips: tuple[str, ...]
    host_ips: tuple[str, ...]
    host_network: bool = False
    uid: str = ""
    restarts: int = 0


def nodes_of(pods: Iterable[ProbePod]) -> dict[str, str]:
    """Return the node of each pod, by the pod's name and by its addresses."""
    return {key: pod.node for pod in pods for key in (pod.name, *pod.ips)}


class Transport(Protocol):
    """Carries questions to an agent and brings its answers back, in the same order.

    Raises:
        ControlChannelError: the way to the agent broke.
    """

    def __call__(self, requests: Sequence[Request[Any]]) -> list[Any]: ...


class Probe:
    """One probe. Every answer is recorded."""

    def __init__(self, pod: ProbePod, source: Transport, recorder: Recorder) -> None:
        self.pod = pod
        self._transport = source
        self._recorder = recorder
        self._owners: Mapping[str, ProbePod] = {}

    def introduce(self, owners: Mapping[str, ProbePod]) -> None:
        """Let paths to these addresses say whose they are."""
        self._owners = {**self._owners, **owners}

    @property
    def name(self) -> str:
        """The pod's name."""
        return self.pod.name

    @property
    def node(self) -> str:
        """The node's name."""
        return self.pod.node

    def address(self, family: Family) -> str:
        """Return the pod's address of a family.

        Raises:
            Inconclusive: it has none; ADDR-01 judges that.
        """
        for ip in self.pod.ips:
            if Family.of(ip) is family:
                return ip
        raise Inconclusive(f"pod {self.name} has no {family.value} address")

    def has(self, family: Family) -> bool:
        """Tell whether the pod has an address of a family."""
        return any(Family.of(ip) is family for ip in self.pod.ips)

    def ask(self, request: Request[A]) -> Record[A]:
        """Put one question and return the recorded answer."""
        return self.ask_all([request])[0]

    def ask_all(self, requests: Sequence[Request[A]]) -> list[Record[A]]:
        """Put questions that are carried out side by side; answers in the same order.

        Raises:
            ControlChannelError: the way to the probe broke.
        """
        if not requests:
            return []
        asked = [self._doubted(request) for request in requests]
        started = time.monotonic()
        answers = self._transport([request for request, _, _ in asked])
        seconds = time.monotonic() - started
        return [
            self._recorder.append(self._record(fields, answer, seconds, doubted=doubted))
            for (_, fields, doubted), answer in zip(asked, answers, strict=True)
        ]

    def _doubted(self, request: Request[A]) -> tuple[Request[A], dict[str, Any], bool]:
        """Return a question as it is put, its fields, and whether its answer is known to be spoilt.

        Nobody waits long for an answer that is known not to come.
        """
        fields = _fields(request)
        doubted = self._recorder.doubts(self.name, fields)
        if not (doubted and request.awaits_one and request.timeout > IN_DOUBT):
            return request, fields, doubted
        soon: Request[A] = dataclasses.replace(request, timeout=IN_DOUBT)  # type: ignore[type-var]
        return soon, {**fields, "timeout": IN_DOUBT}, doubted

    def _record(
        self, fields: dict[str, Any], answer: A, seconds: float, *, doubted: bool
    ) -> Record[A]:
        return Record(
            source=self.name,
            request=fields,
            answer=answer,
            path=self._path(fields, getattr(answer, "local", "")),
            seconds=getattr(answer, "seconds", seconds),
            mark=Mark(doubted=doubted),
        )

    def _path(self, request: dict[str, Any], source: str) -> str:
        kind = "host-network pod" if self.pod.host_network else "pod"
        from_there = f", source {source}" if source else ""
        start = f"{kind} {self.name} (node {self.node}{from_there})"
        target = next((request[k] for k in ("address", "server", "host") if k in request), "")
        if not target:
            return start
        owner = self._owners.get(target)
        whose = f" of pod {owner.name} (node {owner.node})" if owner else ""
        return f"{start} → {endpoint(target, request.get('port'))}{whose}"


class Probes(Sequence[Probe]):
    """All probes of a run: those in the pod network, and apart from them host-network ones.

    As a sequence it is the probes in the pod network: one for each node, and behind them the
    peer, which shares the first one's node, if there was room for it.

    Args:
        pods: that sequence.
        hosts: those in the network of their node.
        peers: further ones, each beside the probe of another node; behind no Service.
        ready_at: when they and the shared Services stood, by the clock of this machine.
    """

    def __init__(
        self,
        pods: Sequence[Probe],
        hosts: Sequence[Probe] = (),
        peers: Sequence[Probe] = (),
        *,
        ready_at: float = 0.0,
    ) -> None:
        self.ready_at = ready_at
        self._pods = tuple(pods)
        self.hosts = tuple(hosts)
        self.peers = tuple(peers)
        self._has_peer = has_peer([probe.pod for probe in pods])
        owners = {ip: probe.pod for probe in (*self._pods, *self.peers) for ip in probe.pod.ips}
        for probe in self.everyone:
            probe.introduce(owners)

    @overload
    def __getitem__(self, index: int) -> Probe: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Probe, ...]: ...
    def __getitem__(self, index: int | slice) -> Probe | tuple[Probe, ...]:
        return self._pods[index]

    def __len__(self) -> int:
        return len(self._pods)

    @property
    def peer(self) -> Probe:
        """The second probe on the first probe's node.

        Raises:
            Inconclusive: no node had room for two.
        """
        if not self._has_peer:
            raise Inconclusive("no node had room for a second probe")
        return self._pods[-1]

    @property
    def one_per_node(self) -> tuple[Probe, ...]:
        """The probes without the peer."""
        return self._pods[:-1] if self._has_peer else self._pods

    @property
    def everyone(self) -> tuple[Probe, ...]:
        """All probes: in the pod network, in the network of their node, and all peers."""
        return (*self._pods, *self.hosts, *self.peers)

    def named(self, name: str) -> Probe:
        """Return the probe with this pod name."""
        return next(probe for probe in self.everyone if probe.name == name)

    def owner(self, address: str) -> Probe:
        """Return the probe that has this address."""
        pods = (*self._pods, *self.peers)
        return next(probe for probe in pods if address in probe.pod.ips)

    def having(self, families: Collection[Family]) -> Probes:
        """Return the probes that have an address of each of these families.

        The others are told beside the verdict; ADDR-01 judges what they lack.

        Raises:
            Inconclusive: there is none.
        """

        def able(probes: Sequence[Probe]) -> list[Probe]:
            return [probe for probe in probes if all(probe.has(family) for family in families)]

        found, wanted = able(self._pods), " and ".join(sorted(f.value for f in families))
        if not found:
            raise Inconclusive(f"no probe has an address of {wanted}")
        left = sorted({probe.node for probe in self._pods} - {probe.node for probe in found})
        if left:
            remark(f"not asked, for want of {wanted}: pods on {', '.join(left)}")
        return Probes(found, able(self.hosts), able(self.peers), ready_at=self.ready_at)

    def pairs(self) -> Iterator[tuple[Probe, Probe]]:
        """Yield every ordered pair of probes on different nodes."""
        for one in self.one_per_node:
            for other in self.one_per_node:
                if one is not other:
                    yield one, other

    def pairs_on_one_node(self) -> Iterator[tuple[Probe, Probe]]:
        """Yield a probe and the other one on its node, for each node that has two."""
        others = (*self._pods[len(self.one_per_node) :], *self.peers)
        beside = {other.node: other for other in others}
        for probe in self.one_per_node:
            if probe.node in beside:
                yield probe, beside[probe.node]

    def from_every_node(self, *requests: Request[A]) -> list[Record[A]]:
        """Put the same questions to one probe of every node at once.

        Raises:
            ControlChannelError: the way to one of them broke.
        """
        return self.ask_each(lambda probe: requests, among=self.one_per_node)

    def ask_each(
        self,
        build: Callable[[Probe], Iterable[Request[A]]],
        *,
        among: Sequence[Probe] | None = None,
    ) -> list[Record[A]]:
        """Put questions to many probes at once.

        Args:
            build: makes a probe's questions.
            among: the probes to ask; all in the pod network by default.

        Raises:
            ControlChannelError: the way to one of them broke.
        """
        asked = tuple(self._pods if among is None else among)
        if not asked:
            raise Inconclusive("there is no probe to ask")
        with ThreadPoolExecutor(min(len(asked), 16)) as pool:
            answers = pool.map(lambda probe: probe.ask_all(list(build(probe))), asked)
            return [record for records in answers for record in records]

    def across_nodes(
        self, build: Callable[[Probe, Probe], Iterable[Request[A]]]
    ) -> list[Record[A]]:
        """Put questions of every ordered pair of probes on different nodes, all nodes at once.

        Args:
            build: makes the questions that the first probe of a pair asks the second.

        Raises:
            ControlChannelError: the way to one of them broke.
        """

        def questions(one: Probe) -> list[Request[A]]:
            others = [other for other in self.one_per_node if other is not one]
            return [request for other in others for request in build(one, other)]

        return self.ask_each(questions, among=self.one_per_node)


def _fields(request: Request[Any]) -> dict[str, Any]:
    return {"op": wire.operation_of(request), **dataclasses.asdict(request)}  # type: ignore[call-overload]


def has_peer(pods: Sequence[ProbePod]) -> bool:
    """Tell whether the last of the probes in the pod network shares a node with the first."""
    return len(pods) > 1 and pods[-1].node == pods[0].node
