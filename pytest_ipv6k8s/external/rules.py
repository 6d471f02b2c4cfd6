"""What external targets have to be, beyond what a schema can say."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence

from pytest_ipv6k8s.addresses import Family, nat64_prefix_problem
from pytest_ipv6k8s.external.model import SILENT, ExternalNetwork, Nat64, Role, Target

_FAMILY = {Role.V4: Family.V4, Role.V6: Family.V6}


def problems(network: ExternalNetwork) -> Iterator[str]:
    """Yield what is wrong with declared targets, each with the key in the declaration."""
    if network.nat64:
        yield from _nat64_problems(network.nat64)
    yield from target_problems(network.targets)
    if network.dns64 and not network.nat64:
        yield "dns64: there is no nat64 with a prefix to synthesise with"


def target_problems(targets: Sequence[Target]) -> Iterator[str]:
    """Yield what is wrong with targets, each alone and all together."""
    owners: dict[str, Role] = {}
    for number, target in enumerate(targets):
        where = f"targets[{number}]"
        for address in target.addresses:
            problem = _address_problem(address)
            if problem:
                yield f"{where}.addresses: {address!r} {problem}"
                return
            if address in owners:
                yield f"{where}.addresses: {address} is {owners[address].value}'s already"
            owners[address] = target.role
        families = [Family.of(address) for address in target.addresses]
        if len(set(families)) < len(families):
            yield f"{where}.addresses: two of one family"
        only = _FAMILY.get(target.role)
        if only and set(families) != {only}:
            yield f"{where}.addresses: a {target.role.value} target has {only.value} and no other"
        if target.role is Role.DUAL and len(families) < 2:
            yield f"{where}.addresses: a dual target needs one of each family"
        if target.role not in SILENT and not (
            target.tcp or target.udp or target.http or target.ping
        ):
            yield f"{where}: it has no port: give tcp, udp or http"
    roles = [target.role for target in targets]
    for role in sorted({role.value for role in roles if roles.count(role) > 1}):
        yield f"targets: role {role} is given twice"


def _nat64_problems(nat64: Nat64) -> Iterator[str]:
    for number, prefix in enumerate(nat64.prefixes):
        problem = nat64_prefix_problem(prefix)
        if problem:
            yield f"nat64.prefixes[{number}]: {problem}"
    host = nat64.private_host
    if host and not _is_ipv4_cidr(f"{host}/32"):
        yield f"nat64.privateHost: {host!r} is no IPv4 address"
    for number, cidr in enumerate(nat64.pool):
        if not _is_ipv4_cidr(cidr):
            yield f"nat64.pool[{number}]: {cidr!r} is no IPv4 CIDR"


def _address_problem(text: str) -> str:
    """Say why no pod can reach an address; empty when one may."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return "is no IP address"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return "is an IPv4 address in IPv6: give that"
        if address.scope_id or address.is_link_local:
            return "is link-local or has a zone, and leads nowhere from another link"
    if address.is_multicast or address.is_unspecified:
        return "is multicast or unspecified, and no host's"
    return ""


def _is_ipv4_cidr(text: str) -> bool:
    try:
        return ipaddress.ip_network(text, strict=False).version == 4
    except ValueError:
        return False
