"""An honest little DNS server for the fake world."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from pytest_ipv6k8s.addresses import Family, reverse_name
from tests.checks import outside_names

if TYPE_CHECKING:
    from tests.checks.world import World

SOA = "cluster.local. 30 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 1 1 1 30"


def records(world: World) -> dict[tuple[str, str], list[str]]:
    """Return all data by name and type."""
    found: dict[tuple[str, str], list[str]] = {}
    for service in world.services.values():
        name = service.dns_name
        for address in service.cluster_ips or world.behind(service.name):
            family = Family.of(address)
            if family in service.families:
                found.setdefault((name, family.record_type), []).append(address)
        for address in service.cluster_ips:
            found[(reverse_name(address), "PTR")] = [name]
        found[(f"_http._tcp.{name}", "SRV")] = [f"0 100 80 {name}"]
    api = "kubernetes.default.svc.cluster.local."
    found[(api, Family.of(world.api_address).record_type)] = [world.api_address]
    return found


def exchange(world: World, wire: str) -> str:
    """Answer a query in base64."""
    query = dns.message.from_wire(base64.b64decode(wire))
    request = query.question[0]
    name, kind = request.name.to_text().lower(), dns.rdatatype.to_text(request.rdtype)
    known = records(world)
    reply = dns.message.make_response(query)
    if outside_names.knows(name):
        if world.is_forwarded():
            outside_names.answer(reply)
        else:
            reply.set_rcode(dns.rcode.SERVFAIL)
        return base64.b64encode(reply.to_wire()).decode()
    data = known.get((name, kind))
    if data:
        reply.answer.append(dns.rrset.from_text(name, 30, "IN", kind, *data))
    else:
        soa, rest = SOA.split(" ", 1)
        ttl, _, _, text = rest.split(" ", 3)
        reply.authority.append(dns.rrset.from_text(soa, int(ttl), "IN", "SOA", text))
        if not any(known_name == name for known_name, _ in known):
            reply.set_rcode(dns.rcode.NXDOMAIN)
    return base64.b64encode(reply.to_wire()).decode()


def look_up(world: World, name: str, search: tuple[str, ...]) -> tuple[str, ...]:
    """Resolve as a stub resolver with ndots:5 does."""
    if outside_names.knows(name.rstrip(".") + "."):
        return tuple(outside_names.addresses(name.rstrip(".") + "."))
    known = records(world)
    candidates = [name] if name.endswith(".") else [f"{name}.{domain}." for domain in search]
    for candidate in [*candidates, name.rstrip(".") + "."]:
        found = [ip for kind in ("AAAA", "A") for ip in known.get((candidate, kind), [])]
        if found:
            return tuple(found)
    return ()
