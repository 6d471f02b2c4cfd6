"""Why a node drops packets, in the words of its kernel; what is not known is said to be unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pytest_ipv6k8s.agent.nftrace import Verdict
from pytest_ipv6k8s.agent.ops.watch_end import Answer, Way

REASON_UNKNOWN = "reason unknown"
AFTER, BEFORE = 0.005, 0.0005
"""Seconds around the moment at which a packet is seen last, within which the kernel drops it."""
_TABLES = "ip -6 route; ip -6 rule; ip -6 neigh; ip -4 route; ip -4 rule; ip -4 neigh"
_STUCK = ("INCOMPLETE", "FAILED")
_UNTOLD = ("", "NOT_SPECIFIED")
_NO_WAY = {
    "ENETUNREACH": "no route to {}",
    "EHOSTUNREACH": "the route to {} is unreachable",
    "EINVAL": "the route to {} is a blackhole",
    "EACCES": "the route to {} is prohibited",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why packets were dropped.

    Attributes:
        text: in the kernel's words; empty where nothing is known.
        look: a command on the node that shows it; empty where there is none.
        fix: what to change; empty where that is not clear.
    """

    text: str = ""
    look: str = ""
    fix: str = ""


NO_REASON = Reason()


def why(
    answer: Answer,
    pairs: Collection[tuple[str, str]],
    moments: Sequence[float],
    ends: Collection[str],
) -> Reason:
    """Return why a node dropped packets.

    A rule of nftables that dropped them leads; then what the kernel gave as its reason in the very
    moments at which they were seen last, then what its tables say of the way and the next hop.

    Args:
        answer: what was seen there.
        pairs: sources and destinations of the packets, in both directions.
        moments: when they were seen there last, by the clock of the node.
        ends: where they were to go.
    """
    ruled = [v for v in answer.verdicts if (v.source, v.destination) in pairs]
    if ruled:
        return _by_rule(ruled[0])
    ways = [way for way in answer.ways if way.address in ends]
    reason, function = _by_kernel(answer, moments)
    known = [] if reason in _UNTOLD else [reason]
    lost = [_NO_WAY[way.error].format(way.address) for way in ways if way.error in _NO_WAY]
    lost += [_stuck(way) for way in ways if way.state in _STUCK]
    if not known and not lost:
        return Reason(text=f"{REASON_UNKNOWN}, dropped in {function}" if function else "")
    return Reason(text=", ".join([*known, *lost[:1]]), look=_TABLES if lost else "")


def _by_rule(verdict: Verdict) -> Reason:
    table = f"{verdict.family} {verdict.table}"
    what = "policy drop" if verdict.policy else f"rule with handle {verdict.rule}"
    return Reason(
        text=f"NETFILTER_DROP, table {table}, chain {verdict.chain}, {what}",
        look=f"nft -a list chain {table} {verdict.chain}",
        fix=f"Let chain {verdict.chain} of table {table} accept these packets ({what}).",
    )


def _stuck(way: Way) -> str:
    return f"neighbour {way.neighbour} on {way.device} is {way.state}"


def _by_kernel(answer: Answer, moments: Sequence[float]) -> tuple[str, str]:
    """Return reason and function of the drops that came with most of the packets."""
    met: Counter[tuple[str, str]] = Counter()
    for moment in moments:
        near = (drop for drop in answer.drops if -BEFORE <= drop.time - moment <= AFTER)
        met.update({(drop.reason, drop.location) for drop in near})
    for found, number in met.most_common(1):
        if number * 2 > len(moments):
            return found
    return "", ""
