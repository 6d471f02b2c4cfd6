"""DNS messages: built and read here with dnspython, exchanged by probes as bytes."""

from __future__ import annotations

import base64
import functools
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What matters of a DNS reply.

    Attributes:
        rcode: NOERROR, NXDOMAIN, SERVFAIL and so on (RFC 6895).
        records: the answer section: record type, owner and data, all as text.
        soa_ttl: of the SOA in the authority section (RFC 2308 section 3), None without one.
        truncated: the TC bit.
        ttls: the time to live of each record set of the answer section, in seconds.
    """

    rcode: str
    records: tuple[tuple[str, str, str], ...]
    soa_ttl: int | None
    truncated: bool
    ttls: tuple[int, ...] = ()

    def data(self, record_type: str) -> tuple[str, ...]:
        """Return the data of all answers of a type, sorted; addresses in canonical form."""
        return tuple(sorted(data for kind, _, data in self.records if kind == record_type))


def query(name: str, record_type: str, *, validating: bool = False) -> str:
    """Return a query in base64. Names end in a dot: nothing is searched for.

    Args:
        name: the full name.
        record_type: A, AAAA and so on.
        validating: set DO and CD, as a client does that validates itself (RFC 4035).

    Raises:
        ValueError: it is no name, or there is no such type.
    """
    import dns.exception
    import dns.flags
    import dns.message

    flags = dns.flags.RD | dns.flags.CD if validating else dns.flags.RD
    try:
        message = dns.message.make_query(
            name, record_type, use_edns=0, payload=1232, flags=flags, want_dnssec=validating
        )
    except dns.exception.DNSException as error:
        raise ValueError(str(error).rstrip(".")) from None
    if validating:
        message.flags |= dns.flags.CD
    return base64.b64encode(message.to_wire()).decode()


@functools.lru_cache(maxsize=4096)
def reply(wire: str) -> Reply | None:
    """Return what a reply in base64 says, None when there is none or it is no DNS message."""
    import dns.flags
    import dns.rcode
    import dns.rdatatype

    message = _message(wire)
    if message is None:
        return None
    return Reply(
        rcode=dns.rcode.to_text(message.rcode()),
        records=tuple(
            (dns.rdatatype.to_text(item.rdtype), rrset.name.to_text(), item.to_text())
            for rrset in message.answer
            for item in rrset
        ),
        soa_ttl=next(
            (int(rrset.ttl) for rrset in message.authority if rrset.rdtype == dns.rdatatype.SOA),
            None,
        ),
        truncated=bool(message.flags & dns.flags.TC),
        ttls=tuple(int(rrset.ttl) for rrset in message.answer),
    )


def question(wire: str) -> str:
    """Return what a query in base64 asks for: ``AAAA name.``; empty for what is none."""
    import dns.rdatatype

    message = _message(wire)
    asked = (
        [f"{dns.rdatatype.to_text(q.rdtype)} {q.name}" for q in message.question] if message else []
    )
    return "; ".join(asked)


def in_words(wire: str) -> str:
    """Return a message as DNS people read it, on one line; empty for what is none."""
    import dns.flags
    import dns.rcode
    import dns.rdatatype

    message = _message(wire)
    if message is None:
        return ""
    asked = "; ".join(f"{one.name} {dns.rdatatype.to_text(one.rdtype)}" for one in message.question)
    records = [text for rrset in message.answer for text in rrset.to_text().splitlines()]
    code = dns.rcode.to_text(message.rcode())
    is_reply = bool(message.flags & dns.flags.QR)
    return f"{asked}: {code}, {', '.join(records) or 'no answer records'}" if is_reply else asked


def _message(wire: str) -> Any:
    """Return dnspython's message, None for what is none."""
    import dns.exception
    import dns.message

    try:
        return dns.message.from_wire(base64.b64decode(wire)) if wire else None
    except (dns.exception.DNSException, ValueError):
        return None
