"""Questions and answers in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from pytest_ipv6k8s import words


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            {"connected": False, "error": "ETIMEDOUT", "seconds": 3.0026856529993893}
            | {"local_port": 0, "seen_mss": 0, "echoed": False, "local": ""},
            "error ETIMEDOUT; 3 s",
        ),
        ({"connected": True, "echoed": False, "seen_port": 0}, "connected; not echoed"),
        ({"sent": 3, "received": 0}, "sent 3; received 0"),
        ({"icmp_type": -1, "icmp_code": -1, "error": "ETIMEDOUT"}, "error ETIMEDOUT"),
        ({"addresses": ["fd00::1", "10.0.0.1"], "failures": ()}, "addresses fd00::1, 10.0.0.1"),
        ({}, "nothing"),
        ("text", "text"),
    ],
)
def test_an_answer_says_what_it_says_and_no_more(answer: Any, said: str) -> None:
    assert words.answer(answer) == said


@dataclass
class _Seen:
    ips: tuple[str, ...]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (_Seen(("fd00::1", "10.0.0.1")), "ips fd00::1, 10.0.0.1"),
        ({"clusterIP": "None", "ipFamilies": ["IPv6"]}, "clusterIP None; ipFamilies IPv6"),
        (("one", "two"), "one, two"),
        ((), "none"),
        ("text", "text"),
    ],
)
def test_whatever_is_found_is_told_in_words_and_not_in_python(found: Any, said: str) -> None:
    assert words.finding(found) == said


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (
            {"op": "tcp_connect", "address": "fd00::2", "port": 8081, "payload": "x", "timeout": 3},
            "tcp_connect [fd00::2]:8081",
        ),
        ({"op": "lookup", "name": "a.b", "timeout": 5.0}, "lookup a.b"),
        ({"op": "udp_sized", "address": "10.0.0.1", "size": 1500}, "udp_sized 10.0.0.1 size 1500"),
    ],
)
def test_a_request_says_what_is_asked_of_whom(request_: dict[str, Any], said: str) -> None:
    assert words.request(request_) == said
