"""End a watch over the packets of a node, and say what was seen."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Dict, Tuple

from pytest_ipv6k8s.agent import netlink, ops, sockets, watching
from pytest_ipv6k8s.agent.drops import Drop
from pytest_ipv6k8s.agent.nftrace import Verdict
from pytest_ipv6k8s.agent.ops import interfaces, network_state
from pytest_ipv6k8s.agent.packets import Complaint, Flow

_OIF, _GATEWAY = 4, 5


@dataclass(frozen=True)
class Seen:
    """Packets of one kind at one device: how many, and when the first of them passed."""

    flow: Flow
    count: int
    times: "Tuple[float, ...]"


@dataclass(frozen=True)
class Way:
    """The next hop of a node to an address: device, neighbour and what is known of it.

    ``state`` is that of neighbour discovery or ARP, empty where the kernel knows nothing of the
    neighbour; ``error`` is why there is no way.
    """

    address: str
    device: str = ""
    neighbour: str = ""
    state: str = ""
    error: str = ""


@dataclass(frozen=True)
class Answer:
    """What passed, what ICMP errors said, whom nftables dropped, and what the kernel dropped.

    ``ways`` are those to all addresses that were met or named; ``veths`` are devices of that kind.
    Nothing of it counts unless all was ``watched`` until now.
    """

    seen: "Tuple[Seen, ...]" = ()
    complaints: "Tuple[Complaint, ...]" = ()
    verdicts: "Tuple[Verdict, ...]" = ()
    drops: "Tuple[Drop, ...]" = ()
    ways: "Tuple[Way, ...]" = ()
    veths: "Tuple[str, ...]" = ()
    watched: bool = False


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """Ends what watch_begin began. Flows from or to ``ends`` are told, and those with the same key.

    ``ends`` are addresses, and ``ways`` further ones to which the way is told; ``timeout`` in
    seconds is for the answer.
    """

    ends: "Tuple[str, ...]"
    ways: "Tuple[str, ...]" = ()
    timeout: float = 1.0


def perform(request: Request) -> Answer:
    watch = watching.end()
    if watch is None or watch.capture is None:
        return Answer()
    flows = watch.capture.flows
    known = [flow for flow in flows if {flow.source, flow.destination} & set(request.ends)]
    keys = {(flow.protocol, flow.key) for flow in known if flow.key}
    told = [flow for flow in flows if flow in known or (flow.protocol, flow.key) in keys]
    counts = watch.capture.counts
    ends = {end for flow in told for end in (flow.source, flow.destination)}
    ends |= {*request.ends, *request.ways}
    neighbours = network_state.read_neighbours()
    states = {(one.interface, one.address): one.state for one in neighbours}
    return Answer(
        tuple(Seen(flow, counts[flow], tuple(flows[flow])) for flow in told),
        tuple(watch.capture.complaints),
        tuple(watch.trace.drops) if watch.trace else (),
        tuple(watch.drops),
        tuple(_way(address, states) for address in sorted(ends)),
        tuple(link.name for link in interfaces.read_links().values() if link.kind == "veth"),
        not watch.broke_off,
    )


def _way(address: str, states: "Dict[Tuple[str, str], str]") -> Way:
    try:
        route = netlink.route_to(address)
    except OSError as error:
        return Way(address, error=sockets.name_of_error(error))
    (index,) = struct.unpack("=I", route.get(_OIF, bytes(4)))
    device = network_state.interface_name(index)
    next_hop = netlink.text_of(route.get(_GATEWAY)) or address
    return Way(address, device, next_hop, states.get((device, next_hop), ""))
