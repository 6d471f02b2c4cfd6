"""Nobody can have an agent send more than he sends it, unless he gets what it sends."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from pytest_ipv6k8s.agent.ports import COOKIE, SIZE
from tests.unit.responders import Serving, serving_agent

QUESTIONS = [
    b"",
    b"x",
    b"ipv6k8s 0",
    b"echo ",
    b"echo 7",
    b"size 65000",
    b"size 65000 ",
    b"size 65000 -",
    b"size 65000 " + b"0" * COOKIE + b" ",
    b"size 65000 " + b"0" * COOKIE + b" " + b"x" * 400,
    b"size -1 a b",
    b"size many a b",
    b"\xff\xfe" * 20,
    b'{"payload": "x"}' * 30,
]


@pytest.fixture(scope="module")
def agent() -> Iterator[Serving]:
    """A serving agent."""
    with serving_agent("probe-07") as ports:
        yield ports


def _asked(sock: socket.socket, question: bytes) -> bytes:
    sock.send(question)
    try:
        return sock.recv(65536)
    except TimeoutError:
        return b""


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_datagram_is_answered_by_a_larger_one(agent: Serving, question: bytes) -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.connect(("::1", agent.udp))
        sock.settimeout(0.2)

        assert len(_asked(sock, question)) <= len(question)


def test_a_cookie_of_another_address_is_worth_nothing(agent: Serving) -> None:
    question = b"%s65000 %s ".ljust(100)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as one:
        one.connect(("::1", agent.udp))
        one.settimeout(2.0)
        cookie = _asked(one, question % (SIZE, b"-" * COOKIE))[len(SIZE) :]
        assert len(_asked(one, question % (SIZE, cookie))) == 65000
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as other:
        other.connect(("::1", agent.udp))
        other.settimeout(2.0)

        assert len(_asked(other, question % (SIZE, cookie))) <= 100


def test_agents_that_are_set_on_each_other_are_silent_at_once(agent: Serving) -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.connect(("::1", agent.udp))
        sock.settimeout(2.0)
        reply = _asked(sock, b"ipv6k8s 0".ljust(500))
        assert reply
        sock.settimeout(0.2)

        assert _asked(sock, reply) == b""
