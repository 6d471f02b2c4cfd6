"""MTU: ICMPv6 errors and echo, which path MTU discovery rests on (RFC 4443)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from pytest_ipv6k8s import (
    WITH_IPV6,
    Family,
    Feature,
    Level,
    Record,
    check,
    expect_all,
    remark,
)
from pytest_ipv6k8s.agent.ops import hop_limit, ping
from pytest_ipv6k8s.agent.ports import CLOSED_PORT
from pytest_ipv6k8s.suite import Probes
from pytest_ipv6k8s.suite.liveness import permitted

DESTINATION_UNREACHABLE, TIME_EXCEEDED = 1, 3
PORT_UNREACHABLE = (1, 4)
WITHIN = f"in {hop_limit.EACH:.0f} s, once in {hop_limit.Request.timeout:.0f} tries"
ECHOES = 4
FILTERED = "ICMPv6 errors are filtered on a node, or by the CNI (RFC 4890 section 4.3 lets them)"
LOOK = "ip6tables -S | grep -i icmp; nft list ruleset | grep icmpv6 (on the node)"
mtu = partial(check, stacks=WITH_IPV6, look=LOOK)


def _of_nodes(probes: Probes) -> list[str]:
    """Return the IPv6 addresses of the nodes that have a probe."""
    addresses = [ip for probe in probes.one_per_node for ip in probe.pod.host_ips]
    return [address for address in addresses if Family.of(address) is Family.V6]


def _expect_told(probes: Probes, addresses: Iterable[str]) -> None:
    """Expect that somebody tells of datagrams to a port where nobody listens."""
    requests = [hop_limit.Request(address, CLOSED_PORT, hops=64) for address in addresses]

    records = probes.from_every_node(*requests)

    expect_all(
        records,
        _told,
        expected=f"ICMPv6 type 1 (destination unreachable), {WITHIN}",
    )


def _told(record: Record[hop_limit.Answer]) -> bool:
    """Tell whether an error came, from the other end or on the way, and not from the sender."""
    answer = record.answer
    to_itself = record.request["address"] == answer.local
    told_by_itself = answer.offender == answer.local and not to_itself
    return answer.icmp_type == DESTINATION_UNREACHABLE and not told_by_itself


@mtu(
    "MTU-10",
    rests_on=["ADDR-17"],
    rests_partly_on=["ADDR-13", "ADDR-16"],
    references=["RFC 4443 section 3.1"],
    causes=[FILTERED, "a policy drops instead of rejecting"],
)
def test_closed_ports_are_told_at_once(probes: Probes) -> None:
    """A datagram to a closed port of a pod is answered with an ICMPv6 error within a second.

    A node SHOULD send it, says the RFC; a second is our limit. Nodes, which may filter, are
    MTU-20's.
    """
    _expect_told(probes, [probe.address(Family.V6) for probe in probes])


@mtu(
    "MTU-20",
    level=Level.INFORMATIONAL,
    references=["RFC 4443 section 3.1", "RFC 4890 section 4.3"],
    causes=["the node's firewall drops instead of rejecting"],
)
def test_closed_ports_of_nodes_are_told(probes: Probes) -> None:
    """A datagram from a pod to a closed port of a node is answered with an ICMPv6 error.

    No Kubernetes text promises it: a node's firewall may drop what it does not know.
    """
    _expect_told(probes, _of_nodes(probes))


@mtu(
    "MTU-11",
    rests_on=["ADDR-17"],
    rests_partly_on=["ADDR-16", "SVC-13"],
    features=[Feature.TWO_NODES],
    references=["RFC 4443 section 3.3"],
    causes=[
        FILTERED,
        "the CNI's datapath drops the packet without a word, or its answer does not find the way "
        "back through the tunnel (cilium/cilium 27616)",
    ],
)
def test_exceeded_hop_limits_are_told(probes: Probes) -> None:
    """A packet whose hop limit ends on the way to another node's pod is reported to its sender.

    A packet that arrives with a hop limit of one met no router: an overlay that is one link to the
    pods has nothing to report.
    """
    records = probes.across_nodes(
        lambda one, other: [hop_limit.Request(other.address(Family.V6), CLOSED_PORT, hops=1)]
    )

    expected = f"ICMPv6 type 3 (time exceeded), or to arrive, {WITHIN}"
    expect_all(records, _reported, expected=expected)
    arrived = sum(record.answer.icmp_type != TIME_EXCEEDED for record in records)
    if arrived:
        remark(f"no router was met on {arrived} of {len(records)} paths")


def _reported(record: Record[hop_limit.Answer]) -> bool:
    answer = record.answer
    arrived = (answer.icmp_type, answer.icmp_code) == PORT_UNREACHABLE
    at_its_end = arrived and answer.offender == record.request["address"]
    return answer.icmp_type == TIME_EXCEEDED or at_its_end


def _expect_replies(probes: Probes, addresses: Iterable[str], whom: str) -> None:
    """Expect an echo reply from every address; who may not ask tells nothing of them."""
    requests = [ping.Request(address, count=ECHOES) for address in addresses]

    records = probes.ask_each(lambda probe: requests)

    expect_all(
        permitted(records), lambda r: r.answer.received, expected=f"an echo reply from every {whom}"
    )


@mtu(
    "MTU-13",
    rests_partly_on=["ADDR-13", "ADDR-16", "ADDR-17"],
    features=[Feature.ECHO_REQUESTS],
    references=["RFC 4443 section 4.2", "RFC 4890 section 4.3.1"],
    causes=["ICMPv6 echo is filtered by the CNI", FILTERED],
)
def test_echo_requests_are_answered(probes: Probes) -> None:
    """Every pod answers ICMPv6 echo requests from every pod.

    Nodes, which may filter, are MTU-21's; EGR-02 asks a target outside.
    """
    _expect_replies(probes, [probe.address(Family.V6) for probe in probes], "pod")


@mtu(
    "MTU-21",
    level=Level.INFORMATIONAL,
    features=[Feature.ECHO_REQUESTS],
    references=["RFC 4443 section 4.2", "RFC 4890 section 4.3.1"],
    causes=["the node's firewall drops ICMPv6 echo requests"],
)
def test_nodes_answer_echo_requests(probes: Probes) -> None:
    """Every node answers ICMPv6 echo requests from every pod.

    No Kubernetes text promises it.
    """
    _expect_replies(probes, _of_nodes(probes), "node")
