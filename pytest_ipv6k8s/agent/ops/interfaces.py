"""The network interfaces: their kind, whether they are up, and their MTUs."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Dict, Tuple

from pytest_ipv6k8s.agent import netlink, ops

# linux/if_link.h and linux/if.h
_IFLA_IFNAME, _IFLA_MTU, _IFLA_LINKINFO, _IFLA_INFO_KIND = 3, 4, 18, 1
_IFF_UP, _IFF_LOOPBACK = 0x1, 0x8


@dataclass(frozen=True)
class Link:
    """An interface; ``mtu`` in bytes, ``kind`` as the kernel names it: veth, vxlan, wireguard.

    Those that tunnel modules put into every network namespace (sit0, ip6tnl0) are not up.
    """

    name: str
    mtu: int
    up: bool = True
    kind: str = ""


@dataclass(frozen=True)
class Answer:
    """All interfaces but loopback, by name."""

    links: Tuple[Link, ...]


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """``timeout`` is not used: nothing is waited for."""

    timeout: float = 1.0


def perform(request: Request) -> Answer:
    return Answer(tuple(sorted(read_links().values(), key=lambda link: link.name)))


def read_links() -> Dict[int, Link]:
    """Return all interfaces but loopback, by index."""
    found = {}
    for body, attributes in netlink.dump(netlink.RTM_GETLINK):
        _, _, _, index, flags, _ = struct.unpack("=BBHiII", body)
        if flags & _IFF_LOOPBACK or _IFLA_MTU not in attributes:
            continue
        info = netlink.attributes(attributes.get(_IFLA_LINKINFO, b""))
        found[index] = Link(
            name=_text(attributes.get(_IFLA_IFNAME, b"")),
            mtu=struct.unpack("=I", attributes[_IFLA_MTU])[0],
            up=bool(flags & _IFF_UP),
            kind=_text(info.get(_IFLA_INFO_KIND, b"")),
        )
    return found


def _text(value: bytes) -> str:
    return value.rstrip(b"\0").decode(errors="replace")
