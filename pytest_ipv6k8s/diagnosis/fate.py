"""What became of packets that several nodes saw, or did not see: the last hop, and the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_ipv6k8s.agent.ops.watch_end import Answer, Seen
from pytest_ipv6k8s.agent.packets import Flow
from pytest_ipv6k8s.diagnosis.reasons import NO_REASON, REASON_UNKNOWN, Reason, why
from pytest_ipv6k8s.results import Hop

UNKNOWN = "at a place that is not known"
ONE_PACKET = 0.02
"""Seconds within which a packet has passed all devices of a node."""
Key = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question that was put several times.

    Attributes:
        name: of who asked.
        node: its node.
        in_pod: whether it has a network of its own.
        sources: its addresses.
        address: that was asked.
        port: that was asked; 0 of an echo request.
        times: how often.
        ends: the nodes on which the address ends; empty where that is not known, or outside.
        virtual: whether it is a Service's.
        uplinks: addresses of all nodes, which their uplinks lead to.
        error: what those who asked were told.
    """

    name: str
    node: str
    in_pod: bool
    sources: tuple[str, ...]
    address: str
    port: int
    times: int
    ends: tuple[str, ...] = ()
    virtual: bool = False
    uplinks: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """Where packets died, and why.

    Attributes:
        where: in words; empty where they did not.
        node: in whose network; empty where that is not known, or between two.
        reason: why, as far as it is known.
    """

    where: str = ""
    node: str = ""
    reason: Reason = NO_REASON


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The fate of most packets.

    Attributes:
        fate: theirs.
        number: how many questions met it.
        times: how many were asked.
        hops: where one of them was seen.
    """

    fate: Fate
    number: int
    times: int
    hops: tuple[Hop, ...] = ()

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        if not self.fate.where:
            return f"nothing died: {self.fate.reason.text}"
        many = f"({self.number} of {self.times})"
        return f"{self.fate.where} {many}: {self.fate.reason.text or REASON_UNKNOWN}"


def fate(asked: Asked, answers: Mapping[str, Answer]) -> Found:
    """Return what became of a question.

    Args:
        asked: the question.
        answers: what was seen, by node.
    """
    if asked.node not in answers:
        unwatched = Reason(text=f"node {asked.node} could not be watched")
        return Found(
            fate=Fate(where=UNKNOWN, reason=unwatched), number=asked.times, times=asked.times
        )
    keys = _keys(asked, answers[asked.node])
    if not keys:
        where = f"in {asked.name} on node {asked.node}, before it left"
        unsent = Fate(where=where, node=asked.node, reason=Reason(text=asked.error))
        return Found(fate=unsent, number=asked.times, times=asked.times)
    ways = [_Way(asked, answers, key) for key in sorted(keys)]
    fates = Counter(way.fate for way in ways if way.fate.where)
    if not fates:
        reason = Reason(text=f"{asked.name} was answered, and says {asked.error}")
        return Found(
            fate=Fate(reason=reason), number=0, times=asked.times, hops=tuple(ways[0].hops)
        )
    most, number = fates.most_common(1)[0]
    hops = next(way.hops for way in ways if way.fate == most)
    number = asked.times if len(keys) == 1 else number
    return Found(fate=most, number=number, times=asked.times, hops=tuple(hops))


def _keys(asked: Asked, answer: Answer) -> set[Key]:
    """Return what tells our packets from others: those of the pod, to the address if possible.

    Where a socket sends to an endpoint in place of the Service, no packet has the address.
    """
    ours = [
        seen.flow
        for seen in answer.seen
        if seen.flow.source in asked.sources and seen.flow.key and not seen.flow.answer
    ]
    there = [flow for flow in ours if flow.destination == asked.address]
    if asked.port:
        there = [flow for flow in there if flow.destination_port == asked.port]
    return {(flow.protocol, flow.key) for flow in there or ours}


class _Way:
    """The way of one packet, and of its answer."""

    def __init__(self, asked: Asked, answers: Mapping[str, Answer], key: Key) -> None:
        self._asked, self._answers = asked, answers
        self._ours = {node: _ours(self._arrived(answer), key) for node, answer in answers.items()}
        out = {node: _hops(node, ours[0], answer=False) for node, ours in self._ours.items()}
        back = {node: _hops(node, ours[1], answer=True) for node, ours in self._ours.items()}
        far = {node for node in answers if node != asked.node}
        self._here, self._home = out.get(asked.node, []), back.get(asked.node, [])
        self._there = [hop for node in sorted(far) for hop in out[node]]
        self._back = [hop for node in sorted(far) for hop in back[node]]
        self.hops = [*self._here, *self._there, *self._back, *self._home]
        self.fate = self._find()

    def _find(self) -> Fate:
        asked = self._asked
        if self._home:
            last = self._home[-1]
            done = last.out or not asked.in_pod
            return Fate() if done else self._within(last)
        if self._back:
            last = self._back[-1]
            return self._between(last, asked.node) if last.out else self._within(last)
        last = (self._there or self._here)[-1]
        if last.out and self._is_of_pod(last):
            return self._in_pod(last)
        if not last.out or (self._there and not self._is_uplink(last)):
            return self._within(last)
        towards = [node for node in asked.ends if node != last.node and node in self._answers]
        return self._between(last, towards[0] if len(towards) == 1 else "")

    def _is_of_pod(self, hop: Hop) -> bool:
        return hop.device in self._answers[hop.node].veths and not self._is_uplink(hop)

    def _is_uplink(self, hop: Hop) -> bool:
        return hop.device in self._uplinks(self._answers[hop.node])

    def _uplinks(self, answer: Answer) -> set[str]:
        return {way.device for way in answer.ways if way.address in self._asked.uplinks}

    def _arrived(self, answer: Answer) -> list[Seen]:
        """Return what was seen, without what an uplink met that was for another machine."""
        uplinks = self._uplinks(answer)
        return [s for s in answer.seen if not (s.flow.strange and s.flow.device in uplinks)]

    def _in_pod(self, last: Hop) -> Fate:
        where = f"in the pod behind {last.device} on node {last.node}, which does not answer"
        return Fate(where=where, reason=Reason(text="it came in there, and nothing came out"))

    def _within(self, last: Hop) -> Fate:
        """Return what became of a packet that came into a node's network, and not out of it."""
        whose, node = "the answer, " if last.answer else "", last.node
        requests, replies = self._ours[node]
        lost = replies if last.answer else requests
        ends = {seen.flow.destination for seen in lost}
        if self._asked.virtual:  # a node needs no way to it
            ends.discard(self._asked.address)
        reason = why(self._answers[node], self._pairs(), _moments(lost), ends)
        reason = reason if reason.text else self._complaint()
        return Fate(where=f"{whose}on node {node}, {last}", node=node, reason=reason)

    def _between(self, last: Hop, towards: str) -> Fate:
        where = f"after leaving node {last.node} by {last.device}"
        if self._asked.virtual and not last.answer and self._is_untranslated(last):
            reason = Reason(text="no Service proxy gave it the address of an endpoint")
            return Fate(where=f"{where}, still to the Service's address", reason=reason)
        whose = "the answer, " if last.answer else ""
        to = f"before it reached node {towards}" if towards else "outside the watched nodes"
        return Fate(where=f"{whose}{where}, {to}", reason=self._complaint())

    def _is_untranslated(self, last: Hop) -> bool:
        """Tell whether packets were still to the address that was asked when they left."""
        flows = (seen.flow for seen in self._ours[last.node][0])
        ends = {flow.destination for flow in flows if flow.out and flow.device == last.device}
        return ends == {self._asked.address}

    def _pairs(self) -> set[tuple[str, str]]:
        """Return the sources and destinations of our packets, in both directions."""
        flows = [seen.flow for ours in self._ours.values() for both in ours for seen in both]
        pairs = {(flow.source, flow.destination) for flow in flows}
        return pairs | {(destination, source) for source, destination in pairs}

    def _complaint(self) -> Reason:
        """Return what a router said of our packets; nothing where none did."""
        pairs = self._pairs()
        for answer in self._answers.values():
            for one in answer.complaints:
                if (one.source, one.destination) in pairs:
                    kind = "ICMPv6" if ":" in one.offender else "ICMP"
                    said = f"{kind} type {one.kind}, code {one.code}"
                    return Reason(text=f"{one.offender} says {said}")
        return NO_REASON


Ours = tuple[list[Seen], list[Seen]]


def _ours(seen: Sequence[Seen], key: Key) -> Ours:
    """Return the packets with a key, and the answers to them, on a node.

    What no key tells to be an answer is one where the ends of a question are turned round.
    """
    keyed = [one for one in seen if (one.flow.protocol, one.flow.key) == key]
    requests = [one for one in keyed if not one.flow.answer]
    turned = {_ends(one.flow)[::-1] for one in requests}
    back = [one for one in seen if one not in requests and _ends(one.flow) in turned]
    return requests, [one for one in keyed if one.flow.answer and one not in back] + back


def _ends(flow: Flow) -> tuple[tuple[str, int], tuple[str, int]]:
    return (flow.source, flow.source_port), (flow.destination, flow.destination_port)


def _hops(node: str, seen: Sequence[Seen], *, answer: bool) -> list[Hop]:
    """Return the devices that packets passed on a node, in the order of the first one."""
    first: dict[tuple[str, bool], float] = {}
    count: Counter[tuple[str, bool]] = Counter()
    for one in seen:
        place = (one.flow.device, one.flow.out)
        first[place] = min(first.get(place, one.times[0]), one.times[0])
        count[place] += one.count
    return [
        Hop(node=node, device=device, out=out, answer=answer, packets=count[device, out])
        for device, out in sorted(first, key=lambda place: first[place])
    ]


def _moments(seen: Sequence[Seen]) -> list[float]:
    """Return when each packet was seen last: what is seen within a moment is one packet."""
    found: list[float] = []
    for moment in sorted(moment for one in seen for moment in one.times):
        if found and moment - found[-1] < ONE_PACKET:
            found[-1] = moment
        else:
            found.append(moment)
    return found
