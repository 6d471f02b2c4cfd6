"""MTU: ICMPv6 errors and echo, which path MTU discovery rests on (RFC 4443)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from pytest_ipv6k8s import WITH_IPV6, Family, Feature, Record, check, expect_all
from pytest_ipv6k8s.agent.ops import hop_limit, ping, udp_exchange
from pytest_ipv6k8s.agent.ports import CLOSED_PORT
from pytest_ipv6k8s.suite import Probes

TIME_EXCEEDED = 3
PORT_UNREACHABLE = (1, 4)
LONGEST = 1.0
FILTERED = "ICMPv6 errors are filtered on a node, or by the CNI (RFC 4890 section 4.3 lets them)"
LOOK = "ip6tables -S | grep -i icmp; nft list ruleset | grep icmpv6 (on both nodes)"
mtu = partial(check, stacks=WITH_IPV6, look=LOOK)


def _ipv6(addresses: Iterable[str]) -> list[str]:
    return [address for address in addresses if Family.of(address) is Family.V6]


@mtu(
    "MTU-10",
    references=["RFC 4443 section 3.1"],
    causes=[FILTERED, "a policy drops instead of rejecting"],
)
def test_closed_ports_are_told_at_once(probes: Probes) -> None:
    """A datagram to a closed port of a pod or node is refused within a second."""
    addresses = [probe.address(Family.V6) for probe in probes]
    nodes = [ip for probe in probes.one_per_node for ip in _ipv6(probe.pod.host_ips)]
    requests = [udp_exchange.Request(a, CLOSED_PORT, timeout=LONGEST) for a in [*addresses, *nodes]]

    records = probes.from_every_node(*requests)

    expect_all(
        records,
        lambda record: record.answer.error == "ECONNREFUSED",
        expected=f"ECONNREFUSED in less than {LONGEST:.0f} s",
    )


@mtu(
    "MTU-11",
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
    records = [
        one.ask(hop_limit.Request(other.address(Family.V6), CLOSED_PORT, hops=1))
        for one, other in probes.pairs()
    ]

    expect_all(records, _reported, expected="ICMPv6 type 3 (time exceeded), or to arrive")


def _reported(record: Record[hop_limit.Answer]) -> bool:
    answer = record.answer
    arrived = (answer.icmp_type, answer.icmp_code) == PORT_UNREACHABLE
    at_its_end = arrived and answer.offender == record.request["address"]
    return answer.icmp_type == TIME_EXCEEDED or at_its_end


@mtu(
    "MTU-13",
    references=["RFC 4443 section 4", "RFC 4890 section 4.3.1"],
    causes=["ICMPv6 echo is filtered on a node, or by the CNI", FILTERED],
)
def test_echo_requests_are_answered(probes: Probes) -> None:
    """Every pod and node answers ICMPv6 echo requests from every pod.

    EGR-02 asks a target outside.
    """
    addresses = [probe.address(Family.V6) for probe in probes]
    addresses += [ip for probe in probes.one_per_node for ip in _ipv6(probe.pod.host_ips)]

    records = probes.ask_each(lambda probe: [ping.Request(a, count=2) for a in addresses])

    expect_all(records, lambda r: r.answer.permitted, expected="pods that may send echo requests")
    expect_all(
        records,
        lambda record: record.answer.received,
        expected="an echo reply from every pod and node",
    )
