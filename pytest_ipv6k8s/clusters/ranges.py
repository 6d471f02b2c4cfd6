"""Ranges of pods and Services for a cluster that is made, and what can be wrong with them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_ipv6k8s.addresses import Family, Network, overlaps
from pytest_ipv6k8s.clusters.contract import ClusterSpec, Problem

PODS, SERVICES = "--ipv6k8s-pod-cidr", "--ipv6k8s-service-cidr"
_EXAMPLES = {PODS: "fd00:10:244::/56", SERVICES: "fd00:10:96::/112"}

# What no pod and no Service can have, and the addresses of the testbed.
RESERVED = {
    "::/8": "reserved (RFC 4291), NAT64 with it (RFC 6052, RFC 8215)",
    "fe80::/10": "link-local (RFC 4291)",
    "ff00::/8": "multicast (RFC 4291)",
    "2001:db8::/32": "the testbed's documentation prefix (RFC 3849)",
    "3fff::/20": "the testbed's documentation prefix (RFC 9637)",
    "0.0.0.0/8": "this network (RFC 1122)",
    "127.0.0.0/8": "loopback (RFC 1122)",
    "169.254.0.0/16": "link-local (RFC 3927)",
    "224.0.0.0/3": "multicast and reserved (RFC 1112)",
    "100.64.0.0/10": "the testbed's shared space (RFC 6598)",
    "192.0.2.0/24": "the testbed's documentation prefix (RFC 5737)",
    "198.51.100.0/24": "the testbed's documentation prefix (RFC 5737)",
    "203.0.113.0/24": "the testbed's documentation prefix (RFC 5737)",
}

# kube-controller-manager's own prefix of a node, and how many nodes it can count (2 to the 16th).
_USUAL_MASK = {Family.V4: 24, Family.V6: 64}
_MOST_NODE_BITS = 16
_LONGEST_MASK = {Family.V4: 25, Family.V6: 120}  # a kubelet runs up to 110 pods
_SERVICES_IPV4 = (12, 24)  # the API server takes 20 bits; the suite wants its Services
_FEWEST_IPV6_SERVICES = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a provider makes of ranges.

    Attributes:
        services_ipv6: the shortest prefix of an IPv6 range of Services.
        sets_masks: whether it tells kube-controller-manager the length of a node's prefix;
            without, that is /64 and /24.
    """

    services_ipv6: int
    sets_masks: bool


def problems(
    spec: ClusterSpec, limits: Limits, taken: Mapping[str, Sequence[str]]
) -> list[Problem]:
    """Return what is wrong with the ranges of a cluster; empty when nothing is.

    Args:
        spec: what is wanted, with a stack and ranges.
        limits: of the provider.
        taken: subnets of the container engine's networks, by the network's name.
    """
    found = [*_form(spec, PODS, spec.pod_cidrs), *_form(spec, SERVICES, spec.service_cidrs)]
    if found:
        return found
    for option, cidr in _all(spec):
        found += _reserved(option, cidr)
    for cidr in spec.pod_cidrs:
        found += _pods_size(ipaddress.ip_network(cidr), spec.workers + 1, limits)
    for cidr in spec.service_cidrs:
        found += _services_size(ipaddress.ip_network(cidr), limits)
    return [*found, *_overlaps(spec, taken)]


def node_mask(cidr: str, nodes: int) -> int:
    """Return the length of a node's prefix of pods: the usual one where it fits.

    Args:
        cidr: the range of all pods.
        nodes: how many nodes there are.
    """
    network = ipaddress.ip_network(cidr)
    most = network.prefixlen + _MOST_NODE_BITS
    fewest = network.prefixlen + (nodes - 1).bit_length()
    return max(min(_USUAL_MASK[Family.of(network)], most), fewest)


def _all(spec: ClusterSpec) -> Iterator[tuple[str, str]]:
    yield from ((PODS, cidr) for cidr in spec.pod_cidrs)
    yield from ((SERVICES, cidr) for cidr in spec.service_cidrs)


def _form(spec: ClusterSpec, option: str, cidrs: Sequence[str]) -> list[Problem]:
    found = [problem for cidr in cidrs if (problem := _no_range(option, cidr))]
    if found:
        return found
    has, wanted = tuple(Family.of(cidr) for cidr in cidrs), spec.stack.families
    if has == wanted:
        return []
    order = " before ".join(family.value for family in wanted)
    ranges = "one range of each, in this order" if spec.stack.is_dual else "one range"
    return [
        Problem(
            text=f"{option}: {', '.join(cidrs)} does not fit stack {spec.stack.value}",
            remedy=f"give {ranges}: {order}",
        )
    ]


def _no_range(option: str, text: str) -> Problem | None:
    try:
        interface = ipaddress.ip_interface(text)
    except ValueError:
        interface = None
    if interface is None or not text.rpartition("/")[2].isdecimal() or "/" not in text:
        return Problem(
            text=f"{option}: {text!r} is no CIDR",
            remedy=f"write ADDRESS/LENGTH, such as {_EXAMPLES[option]}",
        )
    if interface.ip != interface.network.network_address:
        return Problem(
            text=f"{option}: {text} has bits behind its prefix",
            remedy=f"write {interface.network}",
        )
    return None


def _reserved(option: str, cidr: str) -> list[Problem]:
    return [
        Problem(
            text=f"{option}: {cidr} has addresses of {taken}, {why}",
            remedy="take unique local or private addresses, or addresses of your own",
        )
        for taken, why in RESERVED.items()
        if overlaps([cidr, taken])
    ]


def _pods_size(network: Network, nodes: int, limits: Limits) -> list[Problem]:
    family = Family.of(network)
    usual, mask = _USUAL_MASK[family], node_mask(str(network), nodes)
    if limits.sets_masks and mask <= _LONGEST_MASK[family]:
        return []
    if not limits.sets_masks and mask == usual:
        return []
    longest = _LONGEST_MASK[family] if limits.sets_masks else usual
    least = longest - (nodes - 1).bit_length()
    if mask < usual:
        text = f"is too large for pods: nodes get a /{usual}, at most {_MOST_NODE_BITS} bits longer"
        remedy = f"write {network.network_address}/{usual - _MOST_NODE_BITS}, or a longer prefix"
    else:
        text = f"has no room for {nodes} nodes with a /{longest} of pods each"
        remedy = f"take a range of /{least} or larger"
    return [Problem(text=f"{PODS}: {network} {text}", remedy=remedy)]


def _services_size(network: Network, limits: Limits) -> list[Problem]:
    most, fewest = (limits.services_ipv6, _FEWEST_IPV6_SERVICES)
    if Family.of(network) is Family.V4:
        most, fewest = _SERVICES_IPV4
    if most <= network.prefixlen <= fewest:
        return []
    size = "large" if network.prefixlen < most else "small"
    return [
        Problem(
            text=f"{SERVICES}: {network} is too {size} for Services",
            remedy=f"take a range from /{most} to /{fewest}",
        )
    ]


def _overlaps(spec: ClusterSpec, taken: Mapping[str, Sequence[str]]) -> list[Problem]:
    found = [
        Problem(
            text=f"pods {pods} and Services {services} have addresses in common",
            remedy=f"give other ranges with {PODS} and {SERVICES}",
        )
        for pods, services in overlaps([*spec.pod_cidrs, *spec.service_cidrs])
    ]
    for option, cidr in _all(spec):
        for name, subnets in sorted(taken.items()):
            found += [
                Problem(
                    text=f"{cidr} overlaps container network {name} ({subnet})",
                    remedy=f"give another range with {option}, or remove the network",
                )
                for subnet in subnets
                if overlaps([cidr, subnet])
            ]
    return found
