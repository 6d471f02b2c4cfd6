"""Addresses and CIDRs as they are written in API objects, and who writes them there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pytest_ipv6k8s.kube.client import Object

_MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
_CONTROLLER = "endpointslice-controller.k8s.io"
_NONE = ("", "None")


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressText:
    """An address or CIDR as it is written in a field of an object.

    ``by_users`` tells a field in which the API server keeps what a user wrote (KEP-4858).
    """

    where: str
    text: str
    by_users: bool = False


def in_object(kind: str, item: Object) -> Iterator[AddressText]:
    """Yield the addresses and CIDRs of an object.

    Args:
        kind: the plural, one of :data:`KINDS`.
        item: the object.
    """
    metadata = item["metadata"]
    name = "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))
    for field, text, by_users in KINDS[kind](item):
        if text not in _NONE:
            yield AddressText(where=f"{kind} {name} {field}", text=text, by_users=by_users)


_Found = Iterator[tuple[str, str, bool]]


def _of_pod(item: Object) -> _Found:
    status = item.get("status", {})
    yield "status.podIP", status.get("podIP", ""), False
    yield "status.hostIP", status.get("hostIP", ""), False
    yield from (("status.podIPs", entry["ip"], False) for entry in status.get("podIPs") or [])
    yield from (("status.hostIPs", entry["ip"], False) for entry in status.get("hostIPs") or [])


def _of_node(item: Object) -> _Found:
    for cidr in item.get("spec", {}).get("podCIDRs") or []:
        yield "spec.podCIDRs", cidr, False
    for entry in item.get("status", {}).get("addresses") or []:
        if entry["type"] in ("InternalIP", "ExternalIP"):
            yield f"status.addresses {entry['type']}", entry["address"], False


def _of_service(item: Object) -> _Found:
    spec = item.get("spec", {})
    yield from (("spec.clusterIPs", ip, False) for ip in spec.get("clusterIPs") or [])
    yield from (("spec.externalIPs", ip, True) for ip in spec.get("externalIPs") or [])
    for cidr in spec.get("loadBalancerSourceRanges") or []:
        yield "spec.loadBalancerSourceRanges", cidr, True
    for entry in item.get("status", {}).get("loadBalancer", {}).get("ingress") or []:
        yield "status.loadBalancer.ingress", entry.get("ip", ""), False


def _of_slice(item: Object) -> _Found:
    """The controller writes the slices of Services with a selector; others are somebody's own."""
    if item.get("addressType") == "FQDN":
        return
    by_users = (item["metadata"].get("labels") or {}).get(_MANAGED_BY) != _CONTROLLER
    for entry in item.get("endpoints") or []:
        yield from (("endpoints", address, by_users) for address in entry["addresses"])


def _of_ip_address(item: Object) -> _Found:
    yield "metadata.name", item["metadata"]["name"], False


KINDS: dict[str, Callable[[Object], _Found]] = {
    "pods": _of_pod,
    "nodes": _of_node,
    "services": _of_service,
    "endpointslices": _of_slice,
    "ipaddresses": _of_ip_address,
}
"""The kinds of objects that have addresses, by their plurals."""
