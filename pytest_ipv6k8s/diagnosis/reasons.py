"""Why a node drops packets, in the words of its kernel; what is not known is said to be unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from pytest_ipv6k8s.agent.nftrace import Verdict
from pytest_ipv6k8s.agent.ops.watch_end import Answer, Way

REASON_UNKNOWN = "reason unknown"
AFTER, BEFORE = 0.005, 0.0005
"""Seconds around the moment at which a packet is seen last, within which the kernel drops it."""
_STUCK = ("INCOMPLETE", "FAILED")
_UNTOLD = ("", "NOT_SPECIFIED")
_NO_WAY = {
    "ENETUNREACH": "no route to {}",
    "EHOSTUNREACH": "the route to {} is unreachable",
    "EINVAL": "the route to {} is a blackhole",
    "EACCES": "the route to {} is prohibited",
}


def why(answer: Answer, pairs: Collection[tuple[str, str]], moments: Sequence[float]) -> str:
    """Return why a node dropped packets; empty where nothing is known of it.

    A rule of nftables that dropped them leads; then what the kernel gave as its reason in the very
    moments at which they were seen last, then what its tables say of the way and the next hop.

    Args:
        answer: what was seen there.
        pairs: sources and destinations of the packets, in both directions.
        moments: when they were seen there last, by the clock of the node.
    """
    ruled = [v for v in answer.verdicts if (v.source, v.destination) in pairs]
    if ruled:
        return _by_rule(ruled[0])
    ends = {end for pair in pairs for end in pair}
    ways = [way for way in answer.ways if way.address in ends]
    reason, function = _by_kernel(answer, moments)
    known = [] if reason in _UNTOLD else [reason]
    known += [_NO_WAY[way.error].format(way.address) for way in ways if way.error in _NO_WAY][:1]
    known += [_stuck(way) for way in ways if way.state in _STUCK][:1]
    if known:
        return ", ".join(known)
    return f"{REASON_UNKNOWN}, dropped in {function}" if function else ""


def _by_rule(verdict: Verdict) -> str:
    what = "policy drop" if verdict.policy else f"rule with handle {verdict.rule}"
    return f"NETFILTER_DROP, table {verdict.family} {verdict.table}, chain {verdict.chain}, {what}"


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
