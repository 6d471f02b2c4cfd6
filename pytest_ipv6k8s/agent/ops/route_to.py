"""Ask the kernel which way a packet would take, and how large it may be on it."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from pytest_ipv6k8s.agent import netlink, ops, sockets
from pytest_ipv6k8s.agent.ops import interfaces

# linux/rtnetlink.h
_RTA_OIF, _RTA_METRICS, _RTA_CACHEINFO, _RTAX_MTU = 4, 8, 12, 2


@dataclass(frozen=True)
class Answer:
    """``interface`` leads there, ``kind`` is what it is; ``mtu`` in bytes, 0 without a route.

    ``default`` tells that it is the default route.
    """

    interface: str = ""
    kind: str = ""
    mtu: int = 0
    error: str = ""
    default: bool = False


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """A literal address. Nothing is sent there."""

    address: str
    timeout: float = 3.0


def perform(request: Request) -> Answer:
    try:
        route = netlink.route_to(request.address)
    except OSError as error:
        return Answer(error=sockets.name_of_error(error))
    (index,) = struct.unpack("=I", route.get(_RTA_OIF, bytes(4)))
    link = interfaces.read_links().get(index)
    if link is None:
        return Answer(error="no interface %d" % index)
    return Answer(
        link.name,
        link.kind,
        min(link.mtu, _configured_mtu(route) or link.mtu),
        default=netlink.is_default(request.address),
    )


def _configured_mtu(route: "dict[int, bytes]") -> int:
    """Return a route's own MTU, 0 for none.

    One that expires was learned from packet-too-big, and says nothing of how a node is set up
    (rt_fill_info and rt6_fill_node in the kernel's net/ipv4/route.c and net/ipv6/route.c).
    """
    expires = struct.unpack_from("=IIi", route.get(_RTA_CACHEINFO, bytes(12)))[2]
    value = netlink.attributes(route.get(_RTA_METRICS, b"")).get(_RTAX_MTU)
    return struct.unpack("=I", value)[0] if value and not expires else 0
