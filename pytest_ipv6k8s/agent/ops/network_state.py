"""Read the pod's own view: addresses, routes, neighbours, resolv.conf, sysctls, environment."""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import dataclass, field
from typing import Dict, List, Tuple

from pytest_ipv6k8s.agent import netlink, ops

_FLAGS = {0x08: "dadfailed", 0x20: "deprecated", 0x40: "tentative", 0x04: "optimistic"}
_SCOPES = {0: "global", 200: "site", 253: "link", 254: "host"}
_STATES = {1: "INCOMPLETE", 2: "REACHABLE", 4: "STALE", 8: "DELAY", 16: "PROBE", 32: "FAILED"}
_RTN_UNICAST, _MAIN_TABLE = 1, 254
_RTA_METRICS, _RTAX_MTU = 8, 2
SWITCHES = {
    "IPv6": ("net.ipv6.conf.all.forwarding", "net.bridge.bridge-nf-call-ip6tables"),
    "IPv4": ("net.ipv4.ip_forward", "net.bridge.bridge-nf-call-iptables"),
}


@dataclass(frozen=True)
class Address:
    """An address of an interface; ``flags`` are the worrying ones: tentative, dadfailed, …"""

    interface: str
    address: str
    length: int
    scope: str
    flags: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Route:
    """A unicast route of the main table; ``destination`` is ``default`` or a CIDR.

    ``mtu`` is the route's own in bytes, 0 where the interface's counts.
    """

    destination: str
    family: str
    gateway: str
    interface: str
    mtu: int = 0


@dataclass(frozen=True)
class Neighbour:
    """A neighbour and its state (RFC 4861 section 7.3.2, and the kernel's own ones)."""

    address: str
    interface: str
    state: str


@dataclass(frozen=True)
class Answer:
    """``sysctls`` holds disable_ipv6 of all, default and each interface with an address.

    ``switches`` are those by which a node lets packets through, as far as its kernel has them.
    """

    addresses: Tuple[Address, ...]
    routes: Tuple[Route, ...]
    neighbours: Tuple[Neighbour, ...]
    nameservers: Tuple[str, ...]
    search: Tuple[str, ...]
    options: Tuple[str, ...]
    sysctls: Dict[str, str]
    environment: Dict[str, str]
    switches: Dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """Nothing to say."""

    timeout: float = 3.0


def perform(request: Request) -> Answer:
    addresses = read_addresses()
    resolv = _resolv_conf()
    return Answer(
        addresses=tuple(addresses),
        routes=tuple(_routes()),
        neighbours=tuple(read_neighbours()),
        nameservers=tuple(resolv["nameserver"]),
        search=tuple(resolv["search"]),
        options=tuple(resolv["options"]),
        sysctls=_sysctls({address.interface for address in addresses}),
        environment={key: os.environ.get(key, "") for key in ("POD_IP", "POD_IPS", "HOST_IPS")},
        switches=_switches(),
    )


def read_addresses() -> List[Address]:
    """Return all addresses of all interfaces, loopback included."""
    found = []
    for body, attributes in netlink.dump(netlink.RTM_GETADDR):
        _, length, flags, scope, index = struct.unpack("=BBBBI", body)
        if 8 in attributes:
            (flags,) = struct.unpack("=I", attributes[8])
        found.append(
            Address(
                interface=interface_name(index),
                address=netlink.text_of(attributes.get(2) or attributes.get(1)),
                length=length,
                scope=_SCOPES.get(scope, str(scope)),
                flags=tuple(name for bit, name in _FLAGS.items() if flags & bit),
            )
        )
    return found


def _routes() -> List[Route]:
    found = []
    for body, attributes in netlink.dump(netlink.RTM_GETROUTE):
        family, length, _, _, table, _, _, kind = struct.unpack("=BBBBBBBB", body[:8])
        if kind != _RTN_UNICAST or table != _MAIN_TABLE or 4 not in attributes:
            continue
        destination = netlink.text_of(attributes.get(1))
        found.append(
            Route(
                destination="%s/%d" % (destination, length) if length else "default",
                family="IPv6" if family == socket.AF_INET6 else "IPv4",
                gateway=netlink.text_of(attributes.get(5)),
                interface=interface_name(struct.unpack("=I", attributes[4])[0]),
                mtu=_mtu(attributes.get(_RTA_METRICS, b"")),
            )
        )
    return found


def _mtu(metrics: bytes) -> int:
    value = netlink.attributes(metrics).get(_RTAX_MTU)
    return int(struct.unpack("=I", value)[0]) if value else 0


def read_neighbours() -> List[Neighbour]:
    """Return all neighbours whose state is known."""
    found = []
    for body, attributes in netlink.dump(netlink.RTM_GETNEIGH):
        _, _, _, index, state, _, _ = struct.unpack("=BBHiHBB", body)
        if 1 in attributes and state in _STATES:
            address = netlink.text_of(attributes[1])
            found.append(Neighbour(address, interface_name(index), _STATES[state]))
    return found


def interface_name(index: int) -> str:
    """Return the name of an interface, its number where it is gone."""
    try:
        return socket.if_indextoname(index)
    except OSError:
        return str(index)


def _resolv_conf() -> Dict[str, List[str]]:
    found: Dict[str, List[str]] = {"nameserver": [], "search": [], "options": []}
    with open("/etc/resolv.conf") as lines:
        for line in lines:
            words = line.split()
            if len(words) > 1 and words[0] in found:
                values = words[1:]
                found[words[0]] = found[words[0]] + values if words[0] == "nameserver" else values
    return found


def _switches() -> Dict[str, str]:
    found = {}
    for name in [*SWITCHES["IPv6"], *SWITCHES["IPv4"]]:
        try:
            with open("/proc/sys/" + name.replace(".", "/")) as file:
                found[name] = file.read().strip()
        except OSError:
            continue
    return found


def _sysctls(interfaces: "set[str]") -> Dict[str, str]:
    found = {}
    for name in sorted({"all", "default", *interfaces} - {"lo"}):
        path = "/proc/sys/net/ipv6/conf/%s/disable_ipv6" % name
        try:
            with open(path) as file:
                found["net.ipv6.conf.%s.disable_ipv6" % name] = file.read().strip()
        except OSError:
            found["net.ipv6.conf.%s.disable_ipv6" % name] = "absent"
    return found
