"""Queries are built and replies are read as dnspython and RFC 1035 have them."""

from __future__ import annotations

import base64

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ipv6k8s import dns_messages

NAME = "every.n.svc.cluster.local."


def _message(record_type: str = "AAAA") -> dns.message.Message:
    query = dns.message.from_wire(base64.b64decode(dns_messages.query(NAME, record_type)))
    return dns.message.make_response(query)


def _read(message: dns.message.Message) -> dns_messages.Reply:
    found = dns_messages.reply(base64.b64encode(message.to_wire()).decode())
    assert found is not None
    return found


@pytest.mark.parametrize("record_type", ["A", "AAAA", "SRV", "PTR"])
def test_a_query_asks_for_one_name_and_type(record_type: str) -> None:
    query = dns.message.from_wire(base64.b64decode(dns_messages.query(NAME, record_type)))

    (request,) = query.question
    assert request.name.to_text() == NAME
    assert dns.rdatatype.to_text(request.rdtype) == record_type
    assert query.flags & dns.flags.RD
    assert (query.edns, query.payload) == (0, 1232)


def test_two_queries_have_ids_of_their_own() -> None:
    assert len({base64.b64decode(dns_messages.query(NAME, "A"))[:2] for _ in range(20)}) > 10


def test_a_name_without_a_final_dot_is_not_searched_for() -> None:
    wire = base64.b64decode(dns_messages.query(NAME.rstrip("."), "A"))

    assert dns.message.from_wire(wire).question[0].name.to_text() == NAME


def test_the_answers_are_read() -> None:
    message = _message()
    message.answer.append(dns.rrset.from_text("a.example.", 5, "IN", "CNAME", "b.example."))
    message.answer.append(dns.rrset.from_text(NAME, 5, "IN", "AAAA", "fd00::2", "FD00:0::1"))

    found = _read(message)

    assert (found.rcode, found.soa_ttl, found.truncated) == ("NOERROR", None, False)
    assert found.data("AAAA") == ("fd00::1", "fd00::2")
    assert found.data("CNAME") == ("b.example.",)
    assert found.data("A") == ()
    assert ("AAAA", NAME, "fd00::2") in found.records


def test_a_service_record_is_read_as_text() -> None:
    message = _message("SRV")
    message.answer.append(dns.rrset.from_text(NAME, 5, "IN", "SRV", f"0 100 80 {NAME}"))

    assert _read(message).data("SRV") == (f"0 100 80 {NAME}",)


@pytest.mark.parametrize("rcode", ["NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED"])
def test_the_response_code_is_read_by_its_name(rcode: str) -> None:
    message = _message()
    message.set_rcode(dns.rcode.from_text(rcode))

    assert _read(message).rcode == rcode


def test_an_soa_counts_in_the_authority_section_only() -> None:
    soa = dns.rrset.from_text("cluster.local.", 5, "IN", "SOA", "ns. me. 1 1 1 1 1")
    denied, answered = _message(), _message("SOA")
    denied.authority.append(soa)
    answered.answer.append(soa)

    assert _read(denied).soa_ttl == 5
    assert _read(answered).soa_ttl is None


def test_the_truncation_bit_is_read() -> None:
    message = _message()
    message.flags |= dns.flags.TC

    assert _read(message).truncated


def test_a_message_cut_in_the_middle_is_none() -> None:
    message = _message()
    message.answer.append(dns.rrset.from_text(NAME, 5, "IN", "AAAA", "fd00::1"))
    wire = message.to_wire()

    for size in range(len(wire)):
        assert dns_messages.reply(base64.b64encode(wire[:size]).decode()) is None


@pytest.mark.parametrize("wire", ["", "x", "!!!!", "AAAA", "ü"])
def test_what_is_no_message_is_none(wire: str) -> None:
    assert dns_messages.reply(wire) is None


@given(st.binary(max_size=64))
def test_no_bytes_make_it_break(data: bytes) -> None:
    found = dns_messages.reply(base64.b64encode(data).decode())

    assert found is None or isinstance(found, dns_messages.Reply)
