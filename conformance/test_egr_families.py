"""EGR: what one family does when the other is dead, or not there."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ipv6k8s import (
    DUAL_STACK,
    ONLY_IPV6,
    Family,
    Feature,
    Inconclusive,
    Level,
    Record,
    check,
    expect_all,
    remark,
)
from pytest_ipv6k8s.addresses import in_any
from pytest_ipv6k8s.agent.ops import happy_eyeballs, network_state, tcp_connect
from pytest_ipv6k8s.errors import NothingToJudge
from pytest_ipv6k8s.suite import ExternalTargets, Probes
from pytest_ipv6k8s.suite.liveness import connection_to, is_served_by
from pytest_ipv6k8s.suite.paths import NODE_LOCAL_EGRESS
from pytest_ipv6k8s.suite.rates import TRIES, expect_rates
from pytest_ipv6k8s.suite.round_trips import connecting

IPV4_LITERAL = "192.0.2.1"
AT_ONCE = 0.5
BLACK_HOLE_LIMIT, REJECTER_LIMIT = 2.0, 0.5
NO_WAY = ("ENETUNREACH", "EHOSTUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT", "EACCES")


@check(
    "EGR-06",
    rests_partly_on=["EGR-01"],
    stacks=DUAL_STACK,
    features=[Feature.DUAL_TARGET_TCP, Feature.DEAD_ENDS, Feature.EGRESS],
    references=["RFC 8305 section 1", "KEP-563"],
    causes=[
        "only one family has a way out of the pods: masquerading, route or forwarding of the other",
        "a gateway for egress takes both families down when one fails",
    ],
    look="ip -4 route; ip -6 route; ip6tables -t nat -S POSTROUTING (on the node)",
)
def test_one_family_works_while_the_other_is_dead(
    probes: Probes, external: ExternalTargets
) -> None:
    """Each family gets out while connections of the other run into a black hole."""
    target, port = external.target("dual"), external.target("dual").tcp
    alive = [target.address(family) for family in Family]
    dead = [external.address("black-hole", family) for family in Family]

    records = probes.from_every_node(
        *(tcp_connect.Request(address, port) for address in alive),
        *(tcp_connect.Request(address, port, timeout=1.0) for address in dead),
    )

    answered = [r for r in records if r.request["address"] in dead and r.answer.connected]
    if answered:
        raise Inconclusive(f"somebody answers in the black hole: {answered[0]}")
    expect_all(
        [r for r in records if r.request["address"] in alive],
        is_served_by(target),
        expected=f"{connection_to(target)} in each family on every node",
    )
    told = [r for r in records if r.request["address"] in dead and r.answer.error != "ETIMEDOUT"]
    if told:
        raise Inconclusive(f"nothing hangs in the black hole: {told[0]}")


@check(
    "EGR-07",
    rests_on=["DNS-01"],
    rests_partly_on=["EGR-01", "DNS-18"],
    stacks=DUAL_STACK,
    features=[Feature.DUAL_TARGET_TCP, Feature.DEAD_ENDS, Feature.ZONE, Feature.EGRESS],
    references=["RFC 8305 sections 3 to 5"],
    causes=[
        "the cluster's DNS is slow with one record type: search list, upstream, or AAAA queries",
        "IPv4 has no way out of the pods (EGR-06)",
        "the first packets of a connection are held back or dropped on the node",
    ],
    look="kubectl -n kube-system logs -l k8s-app=kube-dns --tail=50",
)
def test_fallback_to_the_other_family_is_fast(probes: Probes, external: ExternalTargets) -> None:
    """A client with Happy Eyeballs passes a dead IPv6 address in 2 s, a rejected one in 0.5 s.

    Seven of ten first tries on each node. The limits are ours, and four round trips to the live
    target come on top. What is judged is the time from the first look-up to the connection; a try
    in which IPv4 was found and connected to before IPv6 was even found passed nothing, and does not
    count. An error is not judged by itself: Linux heeds an ICMPv6 error only when nobody holds the
    socket. Where it comes while connect() still runs, as it does from a router near by, the SYN's
    repetition after one second brings it. A client that starts the next attempt after 250 ms does
    not mind; the time of one that tries address after address is recorded and not judged.
    """
    zone, port = external.network.zone, external.target("dual").tcp
    alive = tcp_connect.Request(external.address("dual", Family.V4), port)
    more = 4 * connecting(probes.from_every_node(alive))
    limits = {
        f"black-hole.{zone}.": BLACK_HOLE_LIMIT + more,
        f"rejecter.{zone}.": REJECTER_LIMIT + more,
    }

    probes[0].ask_all([happy_eyeballs.Request(name, port, naive=True) for name in limits])
    tries = _first_tries(probes, [happy_eyeballs.Request(name, port) for name in limits])

    strange = [r for r in tries if r.answer.address and Family.of(r.answer.address) is Family.V6]
    if strange:
        raise Inconclusive(f"somebody answers at the dead address: {strange[0]}")
    black_hole, rejecter = limits.values()
    expect_rates(
        tries,
        lambda r: r.answer.address and r.answer.seconds < limits[r.request["name"]],
        way=lambda r: (r.source, r.request["name"]),
        expected=f"a connection by IPv4 in less than {black_hole:.1f} s past a black hole, "
        f"{rejecter:.1f} s past a rejecter (limits of ours)",
        say=str,
    )


def _first_tries(
    probes: Probes, requests: Sequence[happy_eyeballs.Request]
) -> list[Record[happy_eyeballs.Answer]]:
    """Return ten tries of each name on every node, but those in which one family was not found.

    They come one after the other: many at once would measure each other.

    Raises:
        Inconclusive: on some node both were never found.
    """
    rounds = [probes.from_every_node(*requests) for _ in range(TRIES)]
    records = [record for one in rounds for record in one]
    tries = [r for r in records if len({*map(Family.of, r.answer.addresses)}) == 2]
    judged = {(r.source, r.request["name"]) for r in tries}
    never = [r for r in records if (r.source, r.request["name"]) not in judged]
    if never:
        raise Inconclusive(f"the dead address was not found in time to be tried: {never[0]}")
    remark(f"{len(tries)} of {len(records)} tries passed a dead address")
    return tries


@check(
    "EGR-08",
    rests_partly_on=["ADDR-06"],
    level=Level.EXTENDED,
    stacks=ONLY_IPV6,
    features=[Feature.NO_CLAT],
    references=["RFC 8305 section 7", "RFC 1122 section 3.3.1.2"],
    causes=[
        "pods have an IPv4 default route that leads nowhere, so connections hang",
        "a packet filter drops instead of rejecting",
    ],
    look="ip -4 route; ip -4 addr (in a pod)",
)
def test_ipv4_literals_fail_at_once_in_ipv6_only_pods(probes: Probes) -> None:
    """In an IPv6-only pod without a CLAT, connecting to an IPv4 address fails at once.

    The address is TEST-NET-1's, at which nobody is. Pods with a node-local IPv4 address for egress,
    as on EKS, are not IPv6-only in this sense, and are left out.
    """
    states = probes.ask_each(lambda probe: [network_state.Request()])
    records = probes.ask_each(lambda probe: [tcp_connect.Request(IPV4_LITERAL, 80)])

    excused = {
        state.source
        for state in states
        if any(in_any(item.address, NODE_LOCAL_EGRESS) for item in state.answer.addresses)
    }
    judged = [record for record in records if record.source not in excused]
    if not judged:
        raise NothingToJudge("all pods have a node-local IPv4 address for egress")
    if excused:
        remark(f"{len(excused)} pods have a node-local IPv4 address for egress, and are left out")
    expect_all(
        judged,
        lambda record: record.answer.error in NO_WAY and record.answer.seconds <= AT_ONCE,
        expected=f"no way to {IPV4_LITERAL}, told within {AT_ONCE} s",
    )
