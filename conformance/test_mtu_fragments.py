"""MTU: datagrams in fragments, between pods and through a Service."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from pytest_ipv6k8s import WITH_IPV6, Family, Feature, Level, check
from pytest_ipv6k8s.agent.ops import udp_exchange, udp_sized
from pytest_ipv6k8s.checks import FamiliesOf
from pytest_ipv6k8s.probe.services import UDP
from pytest_ipv6k8s.suite import Probes, Services
from pytest_ipv6k8s.suite.datagrams import (
    HEADERS,
    UDP_HEADER,
    Datagrams,
    expect_arrivals,
    many,
    require_fragments,
)
from pytest_ipv6k8s.suite.paths import await_services

REASSEMBLED = 1500
CAUSES = [
    "the CNI's datapath, or a filter, drops IPv6 fragments (cilium/cilium 45339)",
    "conntrack does not reassemble fragments: nf_defrag_ipv6 is missing",
    "the nodes' own network drops IPv6 fragments (RFC 8900 section 3)",
]
fragments = partial(
    check,
    stacks=WITH_IPV6,
    families=[Family.V6],
    causes=CAUSES,
    look="nstat -az | grep -i frag (on the node)",
)


def _across(probes: Probes, family: Family, sizes: Iterable[int], how: str) -> list[Datagrams]:
    """Send datagrams of these sizes between every ordered pair of nodes."""
    return probes.across_nodes(
        lambda one, other: [many(other.address(family), size, how) for size in sizes]
    )


@fragments(
    "MTU-05",
    rests_on=["ADDR-17"],
    rests_partly_on=["MTU-04", "ADDR-16"],
    features=[Feature.TWO_NODES],
    references=["RFC 8200 section 5", "RFC 8504 section 5", "RFC 8900 section 3"],
)
def test_fragments_are_reassembled(family: Family, probes: Probes) -> None:
    """A datagram in fragments arrives at a pod on another node.

    It reassembles to 1500 bytes, which a node must take, or to a few more than the path carries
    whole. Who drops its fragments on the way may be the CNI, or the network under the nodes.
    """
    size = REASSEMBLED - HEADERS[family] - UDP_HEADER

    records = _across(probes, family, [size], udp_sized.FRAGMENTED)

    expect_arrivals(records, expected=f"{size} bytes or more in fragments")
    require_fragments(records)


@fragments(
    "MTU-06",
    rests_on=["SVC-02"],
    rests_partly_on=["MTU-05"],
    features=[Feature.PEER],
    families_of=FamiliesOf.SERVICES,
    level=Level.EXTENDED,
    references=["RFC 8200 section 4.5", "Kubernetes docs: virtual IPs and Service proxies"],
    causes=["the Service proxy translates the first fragment only", *CAUSES],
)
def test_fragments_pass_through_a_service(
    family: Family, probes: Probes, services: Services
) -> None:
    """Fragmented datagrams and fragmented replies pass through a cluster IP.

    The Service has one endpoint, which is none of those that ask: whether a pod reaches itself
    is SVC-05.
    """
    address = services["peer"].cluster_ip(family)
    small = udp_exchange.Request(address, UDP)

    await_services(
        probes, lambda: probes.from_every_node(small), lambda record: record.answer.echoed
    )
    records = probes.from_every_node(
        many(address, 2000, udp_sized.FRAGMENTED, reply=4000, port=UDP)
    )

    expect_arrivals(records, expected="2000 bytes there and 4000 bytes back, or more")
    require_fragments(records)


@fragments(
    "MTU-19",
    rests_on=["ADDR-17"],
    rests_partly_on=["MTU-05", "ADDR-16"],
    features=[Feature.TWO_NODES],
    level=Level.EXTENDED,
    references=["RFC 8200 section 4.5"],
)
def test_large_datagrams_arrive(family: Family, probes: Probes) -> None:
    """Datagrams of 4 and 8 KiB arrive at a pod on another node."""
    records = _across(probes, family, [4096, 8192], udp_sized.AS_NEEDED)

    expect_arrivals(records, expected="4096 and 8192 bytes")
