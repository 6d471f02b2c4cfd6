"""A tunnel through a proxy, on loopback."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from pytest_ipv6k8s.agent.ops import http_proxy
from tests.unit.responders import closed_port, tcp

AMPLE = 10.0
PAGE = b'{"pod": "target-v4", "source": "192.0.2.1"}'
HEARD: list[bytes] = []


def _proxy(*replies: bytes) -> Callable[[socket.socket], None]:
    def handle(connection: socket.socket) -> None:
        for reply in replies:
            HEARD.append(connection.recv(4096))
            connection.sendall(reply)

    return handle


def _ask(port: int, target: str = "198.51.100.20") -> http_proxy.Answer:
    return http_proxy.perform(http_proxy.Request("::1", port, target, 8080, timeout=AMPLE))


@pytest.mark.parametrize(
    ("target", "authority"),
    [("198.51.100.20", b"198.51.100.20:8080"), ("2001:db8::1", b"[2001:db8::1]:8080")],
)
def test_a_page_is_fetched_in_the_tunnel(target: str, authority: bytes) -> None:
    HEARD.clear()
    page = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(PAGE), PAGE)

    with tcp(_proxy(b"HTTP/1.1 200 Connection established\r\n\r\n", page)) as port:
        answer = _ask(port, target)

    assert (answer.granted, answer.status, answer.error) == (200, 200, "")
    assert (answer.pod, answer.seen_source, answer.local) == ("target-v4", "192.0.2.1", "::1")
    assert HEARD[0].startswith(b"CONNECT %s HTTP/1.1\r\n" % authority)
    assert HEARD[1].startswith(b"GET / HTTP/1.1\r\nHost: %s\r\n" % authority)


def test_a_refused_tunnel_is_an_answer() -> None:
    with tcp(_proxy(b"HTTP/1.1 403 Forbidden\r\n\r\n")) as port:
        answer = _ask(port)

    assert (answer.granted, answer.status, answer.error) == (403, 0, "")


@pytest.mark.parametrize("said", [b"SSH-2.0-x\r\n\r\n", b"", b"HTTP/1.1 ok\r\n\r\n"])
def test_what_is_no_proxy_is_an_answer(said: bytes) -> None:
    with tcp(_proxy(said)) as port:
        answer = _ask(port)

    assert (answer.granted, answer.status) == (0, 0)
    assert "BadStatusLine" in answer.error or answer.error == "ECONNRESET"


def test_a_tunnel_that_breaks_is_an_answer() -> None:
    with tcp(_proxy(b"HTTP/1.1 200 OK\r\n\r\n")) as port:
        answer = _ask(port)

    assert (answer.granted, answer.status) == (200, 0)
    assert answer.error


def test_a_proxy_that_is_not_there_is_an_answer() -> None:
    assert _ask(closed_port()).error == "ECONNREFUSED"


def test_a_proxy_on_ipv4_only_is_not_used() -> None:
    with tcp(_proxy(), "127.0.0.1") as port:
        request = http_proxy.Request("127.0.0.1", port, "198.51.100.20", 8080, timeout=AMPLE)
        answer = http_proxy.perform(request)

    assert "no IPv6 address" in answer.error
