"""A reference of what NetworkPolicies mean, and of what the API server takes, for fakes."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_ipv6k8s.kube.client import Cause, Outcome

PORT_NAMES = {("http", "TCP"): 8080, ("tcp", "TCP"): 8081, ("udp", "UDP"): 8082}


@dataclass(frozen=True, kw_only=True)
class End:
    """One end of a flow: a pod, or somebody outside, who has no namespace."""

    address: str
    namespace: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    node: str = ""


@dataclass(frozen=True, kw_only=True)
class Packet:
    """The first packet of a flow, after the Service proxy."""

    source: End
    target: End
    protocol: str
    port: int = 0


def allowed(policies: Iterable[Mapping[str, Any]], packet: Packet) -> bool:
    """Tell whether the policies let a flow through: out of its source, and into its target."""
    found = list(policies)
    out = _lets(found, "Egress", packet.source, packet.target, packet)
    return out and _lets(found, "Ingress", packet.target, packet.source, packet)


def _lets(
    policies: list[Mapping[str, Any]], direction: str, pod: End, peer: End, packet: Packet
) -> bool:
    isolating = [
        policy
        for policy in policies
        if policy["metadata"]["namespace"] == pod.namespace
        and direction in policy["spec"]["policyTypes"]
        and _selects(policy["spec"]["podSelector"], pod.labels)
    ]
    if not isolating:
        return True
    side = "to" if direction == "Egress" else "from"
    return any(
        _peer_matches(rule.get(side), peer, pod.namespace)
        and _port_matches(rule.get("ports"), packet)
        for policy in isolating
        for rule in policy["spec"].get(direction.lower(), [])
    )


def _selects(selector: Mapping[str, Any], labels: Iterable[tuple[str, str]]) -> bool:
    return set(selector.get("matchLabels", {}).items()) <= set(labels)


def _peer_matches(peers: Any, end: End, namespace: str) -> bool:
    return not peers or any(_is_peer(peer, end, namespace) for peer in peers)


def _is_peer(peer: Mapping[str, Any], end: End, namespace: str) -> bool:
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        holes = block.get("except", [])
        return _inside(end.address, block["cidr"]) and not any(
            _inside(end.address, hole) for hole in holes
        )
    if not end.namespace:
        return False
    if "namespaceSelector" in peer:
        name = (("kubernetes.io/metadata.name", end.namespace),)
        if not _selects(peer["namespaceSelector"], name):
            return False
    elif end.namespace != namespace:
        return False
    return _selects(peer.get("podSelector", {}), end.labels)


def _inside(address: str, cidr: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(cidr, strict=False)


def _port_matches(ports: Any, packet: Packet) -> bool:
    return not ports or any(_is_port(port, packet) for port in ports)


def _is_port(port: Mapping[str, Any], packet: Packet) -> bool:
    protocol = port.get("protocol", "TCP")
    if protocol != packet.protocol:
        return False
    first = port.get("port", 0)
    if isinstance(first, str):
        return PORT_NAMES.get((first, protocol)) == packet.port
    return not first or first <= packet.port <= port.get("endPort", first)


def admit(body: Mapping[str, Any]) -> Outcome:
    """Return what an API server says to a policy (ValidateIPBlock of Kubernetes 1.36)."""
    causes = tuple(
        cause
        for direction, side in (("ingress", "from"), ("egress", "to"))
        for i, rule in enumerate(body["spec"].get(direction, []))
        for k, peer in enumerate(rule.get(side, []))
        if "ipBlock" in peer
        for cause in _wrong(peer["ipBlock"], f"spec.{direction}[{i}].{side}[{k}].ipBlock")
    )
    if causes:
        words = "; ".join(f"{cause.field}: {cause.message}" for cause in causes)
        message = f"NetworkPolicy is invalid: {words}"
        return Outcome(code=422, object={}, message=message, causes=causes)
    return Outcome(code=201, object=dict(body))


def _wrong(block: Mapping[str, Any], where: str) -> Iterable[Cause]:
    cidr = _network(block["cidr"])
    if cidr is None:
        yield _cause(f"{where}.cidr", "must be a valid CIDR value")
    elif cidr != block["cidr"]:
        yield _cause(f"{where}.cidr", "must not have bits set beyond the prefix length")
    for index, hole in enumerate(block.get("except", [])):
        found = _network(hole)
        if found is None:
            yield _cause(f"{where}.except[{index}]", "must be a valid CIDR value")
        elif cidr is not None and not _strictly_in(found, cidr):
            yield _cause(f"{where}.except[{index}]", "must be a strict subset of `cidr`")


def _network(text: str) -> str | None:
    if "/" not in text or "%" in text:
        return None
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return None


def _strictly_in(inner: str, outer: str) -> bool:
    one, other = ipaddress.ip_network(inner), ipaddress.ip_network(outer)
    same = one.version == other.version
    return same and one.prefixlen > other.prefixlen and _inside(str(one[0]), outer)


def _cause(field: str, message: str) -> Cause:
    return Cause(field=field, reason="FieldValueInvalid", message=message)
