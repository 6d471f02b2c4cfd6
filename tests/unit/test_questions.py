"""A question is read as people write it, and as reports do."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from pytest_ipv6k8s import dns_messages, words
from pytest_ipv6k8s.agent import wire
from pytest_ipv6k8s.agent.ops import (
    dns_exchange,
    http_get,
    https_get,
    identity,
    lookup,
    ping,
    route_to,
    tcp_connect,
    udp_exchange,
)
from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.probe import questions

REPORTED = [
    tcp_connect.Request("fd00::1", 8081, source_port=19992),
    udp_exchange.Request("10.0.0.1", 8082, count=5),
    ping.Request("fd00::1", size=1400),
    route_to.Request("2001:db8::1"),
    lookup.Request("a.example"),
    http_get.Request("fd00::1", 80, path="/x"),
    http_get.Request("fd00::1", 80, headers={"a": "b"}),
    https_get.Request("a.example", 443, "kubernetes", "/version", "/ca.crt"),
    identity.Request(),
]


def _said(request: Any) -> str:
    fields = {"op": wire.operation_of(request), **dataclasses.asdict(request)}
    return words.request(fields)


@pytest.mark.parametrize("request_", REPORTED, ids=_said)
def test_what_a_report_shows_can_be_asked_again(request_: Any) -> None:
    line = f"3 answers, probe-01: {_said(request_)} → error ETIMEDOUT"

    question = questions.parse(line)

    assert (question.source, question.request) == ("probe-01", request_)


def test_a_dns_question_of_a_report_has_its_type_name_and_server() -> None:
    query = dns_messages.query("a.example", "AAAA")
    asked = dns_exchange.Request("fd00::a", query, transport="tcp")

    again = questions.parse(f"host-00 {_said(asked)}")

    assert _said(asked) == "dns_exchange AAAA a.example. @[fd00::a]:53 transport tcp; sends 3"
    assert _said(again.request) == _said(asked)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dns aaaa a.example", "dns_exchange AAAA a.example. @ transport udp; sends 3"),
        ("tcp fd00::1 443", "tcp_connect [fd00::1]:443"),
        ("tcp 10.0.0.1:443", "tcp_connect 10.0.0.1:443"),
        ("probe-peer udp [fd00::1]:53", "udp_exchange [fd00::1]:53 count 1"),
        ("ping fd00::1 count 3; size 9", "ping fd00::1 count 3; size 9"),
        ("http http://[fd00::1]:8080/a?b", "http_get [fd00::1]:8080 path /a?b; keep 0"),
        ("https https://a.example", "https_get a.example:443 server name a.example; path /"),
        ("http http://a.example", "http_get a.example:80 path /; keep 0"),
    ],
)
def test_a_question_is_short_for_what_a_report_would_show(text: str, said: str) -> None:
    assert _said(questions.parse(text).request) == said


@pytest.mark.parametrize("example", questions.EXAMPLES)
def test_an_example_is_a_question(example: str) -> None:
    assert questions.parse(example)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "nothing is asked. Ask such as 'probe-01 dns"),
        ("probe-01", "nothing is asked"),
        ("probe-01 dsn AAAA a", "'dsn' is neither a probe nor an operation. Did you mean dns"),
        ("prob-01 ping fd00::1", "'prob-01' is neither a probe nor an operation"),
        ("the API server: get", "Give one of dns, tcp, udp"),
        ("tcp a.example 80", "`lookup a.example` asks for those of a name"),
        ("tcp fd00::1", "the port of fd00::1 is missing. Write such as 'probe-01 tcp"),
        ("tcp [fd00::1]:x", "Port could not be cast"),
        ("tcp [fd00::1]:99999", "Port out of range"),
        ("ping", "whom it is asked of is missing"),
        ("ping fd00::1 coutn 3", "'coutn 3' is nothing that can be asked for: count, size"),
        ("dns AAAA", "type or name is missing"),
        ("dns QUAD a.example", "type is unknown"),
        (f"dns AAAA {'a' * 64}", "label is > 63"),
        ("dns AAAA a @b.example", "b.example is no address"),
        ("http ftp://a.example", "is no URL of http or https"),
    ],
)
def test_what_is_no_question_is_told_with_what_may_be_meant(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        questions.parse(text)

    assert told in str(caught.value)
