"""End a watch over the packets of a node, and say what was seen."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from typing import Dict, Tuple

from pytest_ipv6k8s.agent import netlink, ops, sockets, watching
from pytest_ipv6k8s.agent.drops import Drop
from pytest_ipv6k8s.agent.nftrace import Verdict
from pytest_ipv6k8s.agent.ops import interfaces, network_state
from pytest_ipv6k8s.agent.packets import Complaint, Flow

_OIF, _GATEWAY, _NDA_DST = 4, 5, 1


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
    neighbours = _neighbours()
    return Answer(
        tuple(Seen(flow, counts[flow], tuple(flows[flow])) for flow in told),
        tuple(watch.capture.complaints),
        tuple(watch.trace.drops) if watch.trace else (),
        tuple(watch.drops),
        tuple(_way(address, neighbours) for address in sorted(ends)),
        tuple(link.name for link in interfaces.read_links().values() if link.kind == "veth"),
        not watch.broke_off,
    )


def _way(address: str, neighbours: "Dict[Tuple[int, str], str]") -> Way:
    try:
        route = netlink.route_to(address)
    except OSError as error:
        return Way(address, error=sockets.name_of_error(error))
    (index,) = struct.unpack("=I", route.get(_OIF, bytes(4)))
    next_hop = netlink.text_of(route.get(_GATEWAY)) or address
    try:
        device = socket.if_indextoname(index)
    except OSError:
        device = ""
    return Way(address, device, next_hop, neighbours.get((index, next_hop), ""))


def _neighbours() -> "Dict[Tuple[int, str], str]":
    found = {}
    for body, attributes in netlink.dump(netlink.RTM_GETNEIGH):
        index, state = struct.unpack_from("=iH", body, 4)
        name = network_state.STATES.get(state, "")
        found[index, netlink.text_of(attributes.get(_NDA_DST))] = name
    return found
