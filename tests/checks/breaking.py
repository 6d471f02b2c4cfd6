"""Ways to break the fake world, and the shape of a row that does."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import dns.message
import dns.rcode
import dns.rdatatype

from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.kube.client import Cause, Outcome
from pytest_ipv6k8s.probe.probes import ProbePod
from tests.checks.world import World

Break = Callable[[World], None]


@dataclass(frozen=True)
class Broken:
    """A world in which a check has to fail."""

    id: str
    name: str
    break_it: Break
    stack: Stack = Stack.IPV6
    family: Family | None = None


def answers(
    operation: str,
    only: Callable[[ProbePod, Any], bool] = lambda pod, request: True,
    **changed: Any,
) -> Break:
    """Change fields of the answers of an operation, of those questions that ``only`` picks."""

    def break_it(world: World) -> None:
        def change(pod: ProbePod, request: Any, answer: Any) -> Any:
            return replace(answer, **changed) if only(pod, request) else answer

        world.override(operation, change)

    return break_it


def state(changed: Callable[[Any], Mapping[str, Any]]) -> Break:
    """Change the network state that the first probe sees."""

    def break_it(world: World) -> None:
        def change(pod: ProbePod, request: Any, answer: Any) -> Any:
            return replace(answer, **changed(answer)) if pod.name == "probe-00" else answer

        world.override("network_state", change)

    return break_it


def narrow_routes(seen: Any, mtu: int) -> dict[str, Any]:
    """Return what a network state has instead when all its routes have an MTU of their own."""
    return {"routes": tuple(replace(route, mtu=mtu) for route in seen.routes)}


def objects(kind: str, name: str, change: Callable[[dict[str, Any]], None]) -> Break:
    """Change an API object."""

    def break_it(world: World) -> None:
        for item in world.objects[kind]:
            if item["metadata"]["name"] == name:
                change(item)

    return break_it


def proposals(change: Callable[[Mapping[str, Any], Outcome], Outcome]) -> Break:
    """Change what the API server says to proposals."""

    def break_it(world: World) -> None:
        world.on_propose = change

    return break_it


def rewritten(**fields: Any) -> Break:
    """Set fields of every accepted proposal, as a mutating webhook would; call values."""

    def change(body: Mapping[str, Any], outcome: Outcome) -> Outcome:
        if not outcome.accepted:
            return outcome
        spec = dict(outcome.object["spec"])
        for name, value in fields.items():
            spec[name] = value(spec.get(name)) if callable(value) else value
        return replace(outcome, object={**outcome.object, "spec": spec})

    return proposals(change)


def all_accepted(body: Mapping[str, Any], outcome: Outcome) -> Outcome:
    """An API server that takes whatever it gets."""
    return outcome if outcome.accepted else Outcome(code=201, object=dict(body))


def all_refused(body: Mapping[str, Any], outcome: Outcome) -> Outcome:
    """An API server that refuses whatever it sees, and what it takes for no good reason."""
    nothing = (Cause(field="spec.ports", reason="FieldValueInvalid", message="not today"),)
    return Outcome(code=422, object={}, message="invalid", causes=outcome.causes or nothing)


def all_denied(body: Mapping[str, Any], outcome: Outcome) -> Outcome:
    """Admission that denies, in its own words, whatever the API server takes."""
    message = 'admission webhook "policy.example.com" denied the request: no Services here'
    return Outcome(code=400, object={}, message=message) if outcome.accepted else outcome


def _saying(answer: Any, reply: dns.message.Message) -> Any:
    return replace(answer, wire=base64.b64encode(reply.to_wire()).decode())


def unknown(request: Any, answer: Any) -> Any:
    """Return the answer of a server that has never heard of a name."""
    reply = dns.message.make_response(dns.message.from_wire(base64.b64decode(request.wire)))
    reply.set_rcode(dns.rcode.NXDOMAIN)
    return _saying(answer, reply)


def dns_says(kind: str, rcode: str | None = None, data: str | None = None) -> Break:
    """Answer queries of a record type with another response code or other data."""

    def break_it(world: World) -> None:
        def change(pod: ProbePod, request: Any, answer: Any) -> Any:
            query = dns.message.from_wire(base64.b64decode(request.wire))
            asked = query.question[0]
            if dns.rdatatype.to_text(asked.rdtype) != kind:
                return answer
            reply = dns.message.make_response(query)
            if rcode:
                reply.set_rcode(dns.rcode.from_text(rcode))
            if data:
                name = asked.name.to_text()
                reply.answer.append(dns.rrset.from_text(name, 5, "IN", kind, data))
            return _saying(answer, reply)

        world.override("dns_exchange", change)

    return break_it


def from_pod(name: str) -> Callable[[ProbePod, Any], bool]:
    """Pick the questions of one probe."""
    return lambda pod, request: pod.name == name
