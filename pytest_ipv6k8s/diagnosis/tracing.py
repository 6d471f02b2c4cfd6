"""Ask a failing question again while the nodes on its way are watched, and say where it died."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_ipv6k8s.addresses import endpoint
from pytest_ipv6k8s.agent.ops import (
    dns_exchange,
    ping,
    tcp_connect,
    udp_exchange,
    watch_begin,
    watch_end,
)
from pytest_ipv6k8s.diagnosis.fate import Asked, fate
from pytest_ipv6k8s.diagnosis.places import Place
from pytest_ipv6k8s.errors import ControlChannelError
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.kube.inventory import Node
from pytest_ipv6k8s.probe.probes import Probe
from pytest_ipv6k8s.probe.questions import is_answered
from pytest_ipv6k8s.results import Trace
from pytest_ipv6k8s.threads import at_once

TIMES, PATIENCE = 4, 0.5
"""How often a question is put again, and how many seconds each time has."""
_OVER_TCP = ("tcp_connect", "tcp_loss", "tcp_transfer", "tcp_flows", "http_get", "policy_latency")
_OVER_UDP = ("udp_exchange", "udp_loss", "udp_sized")
_WORKED = "nothing died: it was answered when it was asked again"


def again(fields: Mapping[str, Any]) -> Any:
    """Return a request that takes the way of another one, quickly; None where there is none.

    Args:
        fields: of the other one, with ``op``; as evidence has them.
    """
    operation, address = fields.get("op"), str(fields.get("address", ""))
    if operation in _OVER_TCP and fields.get("port"):
        return tcp_connect.Request(address, int(fields["port"]), timeout=PATIENCE)
    if operation in _OVER_UDP and fields.get("port"):
        return udp_exchange.Request(address, int(fields["port"]), count=1, timeout=PATIENCE)
    if operation == "ping":
        return ping.Request(address, count=1, timeout=PATIENCE)
    if operation == "dns_exchange" and fields.get("server"):
        server, port = str(fields["server"]), int(fields.get("port") or 53)
        if fields.get("transport") == "tcp":
            return tcp_connect.Request(server, port, timeout=PATIENCE)
        wire = fields["wire"]
        return dns_exchange.Request(server, wire, port=port, timeout=PATIENCE)
    return None


def trace(
    asker: Probe,
    request: Any,
    place: Place,
    watching: dict[str, Probe],
    nodes: Sequence[Node],
) -> Trace:
    """Ask a question a few times, and say where its packets died.

    Args:
        asker: who asks.
        request: what, as :func:`again` returns it.
        place: whose the asked address is.
        watching: the watchers, by node; one that cannot be asked is taken out.
        nodes: all of the cluster.

    Raises:
        ControlChannelError: the way to a probe broke.
    """
    address, port = end_of(request)
    uplinks = _same_family([ip for node in nodes for ip in node.internal_ips], address)
    ends = tuple(dict.fromkeys((*_same_family(asker.pod.ips, address), address)))
    missing = _begin(watching, ends)
    records = [asker.ask(_told_apart(request, number)) for number in range(TIMES)]
    seen = _end(watching, ends, tuple(uplinks))
    answered = all(is_answered(record.answer) for record in records)
    found = fate(_asked(asker, place, address, port, records, uplinks), seen)
    return Trace(
        path=_path(asker, address, port, place),
        died=_WORKED if answered else found.sentence,
        node=found.fate.node,
        look=found.fate.reason.look,
        fix=found.fate.reason.fix,
        hops=found.hops,
        missing=tuple(f"node {node}: {what}" for node in missing for what in missing[node]),
        is_answered=answered,
    )


def _told_apart(request: Any, number: int) -> Any:
    """Return a request whose packets no other one's are taken for."""
    if not isinstance(request, udp_exchange.Request):
        return request
    return dataclasses.replace(request, payload=f"ipv6k8s trace {number}")


def _asked(
    asker: Probe,
    place: Place,
    address: str,
    port: int,
    records: Sequence[Record[Any]],
    uplinks: Sequence[str],
) -> Asked:
    errors = (str(getattr(record.answer, "error", "")) for record in records)
    return Asked(
        name=f"pod {asker.name}",
        node=asker.node,
        in_pod=not asker.pod.host_network,
        sources=tuple(_same_family(asker.pod.ips, address)),
        address=address,
        port=port,
        times=len(records),
        ends=place.nodes,
        virtual=place.virtual,
        uplinks=tuple(uplinks),
        error=", ".join(dict.fromkeys(filter(None, errors))),
    )


def _path(asker: Probe, address: str, port: int, place: Place) -> str:
    whose = f" of {place.name}" if place.name else ""
    return f"{asker.name} (node {asker.node}) → {endpoint(address, port or None)}{whose}"


def end_of(request: Any) -> tuple[str, int]:
    """Return the address that is asked, and the port; 0 of an echo request."""
    address = getattr(request, "address", "") or request.server
    return address, int(getattr(request, "port", 0))


def _same_family(addresses: Sequence[str], address: str) -> list[str]:
    return [one for one in addresses if (":" in one) == (":" in address)]


def _begin(watching: dict[str, Probe], ends: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Let all watchers begin at once; return what each of them cannot see, and why."""
    request = watch_begin.Request(ends)

    def missing(node: str) -> tuple[str, ...]:
        try:
            found = watching[node].ask(request).answer.missing
        except ControlChannelError as error:
            del watching[node]
            return (error.problem,)
        return tuple(": ".join(one) for one in found)

    nodes = list(watching)
    return dict(zip(nodes, at_once(missing, nodes), strict=True))


def _end(
    watching: dict[str, Probe], ends: tuple[str, ...], ways: tuple[str, ...]
) -> dict[str, watch_end.Answer]:
    """Return what the watchers saw that watched until now."""
    request = watch_end.Request(ends, ways)

    def seen(node: str) -> watch_end.Answer:
        try:
            found: watch_end.Answer = watching[node].ask(request).answer
        except ControlChannelError:
            del watching[node]
            return watch_end.Answer()
        return found

    nodes = list(watching)
    answers = zip(nodes, at_once(seen, nodes), strict=True)
    return {node: answer for node, answer in answers if answer.watched}
