"""What a probe can do, done on loopback."""

from __future__ import annotations

import base64
import platform
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import dns.message
import pytest

from pytest_ipv6k8s import dns_messages
from pytest_ipv6k8s.agent import netlink
from pytest_ipv6k8s.agent.ops import (
    dns_exchange,
    http_get,
    identity,
    lookup,
    loopback,
    network_state,
    own_server,
    ping,
    source_address,
    tcp_connect,
    udp_exchange,
)
from tests.unit.responders import Serving, closed_port, serving_agent, tcp, udp

SHORT = 0.05
EACH = 0.1
AMPLE = 10.0
LOOPBACKS = ("::1", "127.0.0.1")


@pytest.fixture(scope="module")
def agent() -> Iterator[Serving]:
    """A serving agent."""
    with serving_agent("probe-07") as ports:
        yield ports


@pytest.mark.parametrize("address", LOOPBACKS)
def test_a_connection_tells_who_answered_and_whom_it_saw(agent: Serving, address: str) -> None:
    answer = tcp_connect.perform(tcp_connect.Request(address, agent.tcp, timeout=AMPLE))

    assert answer.connected
    assert answer.echoed
    assert answer.error == ""
    assert (answer.pod, answer.local, answer.seen_source) == ("probe-07", address, address)


def test_a_refused_connection_is_an_answer() -> None:
    answer = tcp_connect.perform(tcp_connect.Request("::1", closed_port(), timeout=AMPLE))

    assert (answer.connected, answer.error) == (False, "ECONNREFUSED")


def test_a_peer_that_says_nothing_is_connected_and_late() -> None:
    done = threading.Event()

    def say_nothing(connection: socket.socket) -> None:
        done.wait(AMPLE)

    with tcp(say_nothing) as port:
        answer = tcp_connect.perform(tcp_connect.Request("::1", port, timeout=SHORT))
        done.set()

    assert (answer.connected, answer.echoed, answer.error) == (True, False, "ETIMEDOUT")
    assert answer.local == "::1"


def _saying(said: bytes) -> Callable[[socket.socket], None]:
    def handle(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(said)

    return handle


@pytest.mark.parametrize("said", [b"SSH-2.0-x\r\n", b"", b"[]", b'{"payload": "ipv6k8s"}', b"\xff"])
def test_a_peer_of_another_kind_is_nobody(said: bytes) -> None:
    with tcp(_saying(said)) as port:
        answer = tcp_connect.perform(tcp_connect.Request("::1", port, timeout=AMPLE))

    assert (answer.connected, answer.echoed, answer.pod, answer.error) == (True, False, "", "")


def test_a_peer_that_says_something_else_has_not_echoed() -> None:
    with tcp(_saying(b'{"pod": "p", "payload": "x"}')) as port:
        answer = tcp_connect.perform(tcp_connect.Request("::1", port, timeout=AMPLE))

    assert (answer.pod, answer.echoed) == ("p", False)


def test_a_server_in_the_same_pod_is_asked_past_every_network(
    agent: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_server, "OWN_SOCKET", agent.own)
    assert own_server.perform(own_server.Request(timeout=AMPLE)).echoed

    monkeypatch.setattr(own_server, "OWN_SOCKET", f"{agent.own}-nobody")
    answer = own_server.perform(own_server.Request())

    assert (answer.echoed, answer.error) == (False, "ECONNREFUSED")


@pytest.mark.parametrize("address", LOOPBACKS)
def test_datagrams_are_echoed(agent: Serving, address: str) -> None:
    answer = udp_exchange.perform(udp_exchange.Request(address, agent.udp, count=3, timeout=AMPLE))

    assert (answer.sent, answer.echoed, answer.error) == (3, 3, "")
    assert (answer.pod, answer.local, answer.seen_source) == ("probe-07", address, address)


def test_a_closed_port_refuses_datagrams() -> None:
    request = udp_exchange.Request("127.0.0.1", closed_port(), count=2, timeout=AMPLE)

    answer = udp_exchange.perform(request)

    assert (answer.echoed, answer.error) == (0, "ECONNREFUSED")


def _echo(data: bytes) -> bytes:
    return b'{"pod": "p", "source": "s", "payload": "%s"}' % data.rstrip()


def test_lost_datagrams_are_not_counted() -> None:
    with udp(lambda data: [_echo(data)] if data.rstrip().endswith(b"1") else []) as port:
        request = udp_exchange.Request("::1", port, count=3, timeout=EACH * 3)
        answer = udp_exchange.perform(request)

    assert (answer.sent, answer.echoed, answer.error) == (3, 1, "ETIMEDOUT")
    assert answer.pod == "p"


def test_a_late_echo_does_not_hide_those_behind_it() -> None:
    kept: list[bytes] = []

    def first_one_late(data: bytes) -> list[bytes]:
        kept.append(_echo(data))
        return [] if len(kept) == 1 else kept if len(kept) == 2 else [_echo(data)]

    with udp(first_one_late) as port:
        request = udp_exchange.Request("::1", port, count=4, timeout=EACH * 4)
        answer = udp_exchange.perform(request)

    assert answer.echoed >= 3


@pytest.mark.parametrize("address", LOOPBACKS)
def test_a_page_is_fetched(agent: Serving, address: str) -> None:
    answer = http_get.perform(http_get.Request(address, agent.http, timeout=AMPLE))

    assert (answer.status, answer.pod, answer.error) == (200, "probe-07", "")
    assert (answer.local, answer.seen_source) == (address, address)


def test_a_refused_page_is_an_answer() -> None:
    answer = http_get.perform(http_get.Request("::1", closed_port(), timeout=AMPLE))

    assert (answer.status, answer.error) == (0, "ECONNREFUSED")


@pytest.mark.parametrize(
    ("said", "error"),
    [(b"SSH-2.0-x\r\n\r\n", "BadStatusLine"), (b"", "RemoteDisconnected")],
)
def test_what_is_no_page_is_an_answer(said: bytes, error: str) -> None:
    with tcp(_saying(said)) as port:
        answer = http_get.perform(http_get.Request("::1", port, timeout=AMPLE))

    assert answer.status == 0
    assert error in answer.error or answer.error == "ECONNRESET"


def test_another_page_has_a_status_and_no_pod() -> None:
    with tcp(_saying(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno")) as port:
        answer = http_get.perform(http_get.Request("::1", port, timeout=AMPLE))

    assert (answer.status, answer.pod) == (404, "")


def test_a_page_is_asked_for_by_a_name_and_kept() -> None:
    heard: list[bytes] = []

    def page(connection: socket.socket) -> None:
        heard.append(connection.recv(1000))
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-From: me\r\nContent-Length: 5\r\n\r\nhello")

    with tcp(page) as port:
        request = http_get.Request("::1", port, host="shop.example", headers={"X-A": "b"}, keep=4)
        answer = http_get.perform(request)

    assert b"Host: shop.example\r\n" in heard[0]
    assert b"X-A: b\r\n" in heard[0]
    assert (answer.body, answer.headers["x-from"]) == ("hell", "me")


def test_a_header_with_a_line_end_is_not_sent() -> None:
    with tcp(_saying(b"")) as port:
        answer = http_get.perform(http_get.Request("::1", port, headers={"X": "a\r\nY: b"}))

    assert (answer.status, "line end" in answer.error) == (0, True)


QUERY = dns_messages.query("a.example.", "AAAA")


def _reply(query: bytes) -> bytes:
    return dns.message.make_response(dns.message.from_wire(query)).to_wire()


def _rcode(answer: dns_exchange.Answer) -> str:
    found = dns_messages.reply(answer.wire)
    return found.rcode if found else "none"


@pytest.mark.parametrize("address", LOOPBACKS)
def test_a_query_over_udp_is_answered(address: str) -> None:
    with udp(lambda data: [_reply(data)], address) as port:
        answer = dns_exchange.perform(
            dns_exchange.Request(address, QUERY, port=port, timeout=AMPLE)
        )

    assert (_rcode(answer), answer.local, answer.error) == ("NOERROR", address, "")


def test_a_lost_query_is_sent_again() -> None:
    heard: list[bytes] = []

    def third_time(data: bytes) -> list[bytes]:
        heard.append(data)
        return [_reply(data)] if len(heard) == 3 else []

    with udp(third_time) as port:
        answer = dns_exchange.perform(
            dns_exchange.Request("::1", QUERY, port=port, timeout=EACH * 3)
        )

    assert _rcode(answer) == "NOERROR"
    assert heard == [base64.b64decode(QUERY)] * 3


def test_no_reply_is_an_answer() -> None:
    with udp(lambda data: []) as port:
        request = dns_exchange.Request("::1", QUERY, port=port, timeout=SHORT)
        answer = dns_exchange.perform(request)

    assert (answer.wire, answer.error) == ("", "ETIMEDOUT")


def test_a_server_that_is_not_there_refuses() -> None:
    request = dns_exchange.Request("127.0.0.1", QUERY, port=closed_port())

    assert dns_exchange.perform(request) == dns_exchange.Answer(error="ECONNREFUSED")


def test_a_reply_to_somebody_else_is_passed_over() -> None:
    heard: list[bytes] = []

    def stranger_first(data: bytes) -> list[bytes]:
        heard.append(data)
        return [b"\x00\x00" + data[2:]] if len(heard) == 1 else [_reply(data)]

    with udp(stranger_first) as port:
        answer = dns_exchange.perform(dns_exchange.Request("::1", QUERY, port=port, timeout=AMPLE))

    assert _rcode(answer) == "NOERROR"


def test_replies_to_somebody_else_are_no_reply() -> None:
    query = base64.b64decode(QUERY)
    denied = bytes([query[0] ^ 0xFF]) + query[1:]

    with udp(lambda data: [denied]) as port:
        request = dns_exchange.Request("::1", QUERY, port=port, timeout=EACH * 3)
        answer = dns_exchange.perform(request)

    assert answer.wire == ""


def _dns_over_tcp(connection: socket.socket, cut: int = 0) -> None:
    (size,) = struct.unpack("!H", connection.recv(2, socket.MSG_WAITALL))
    reply = _reply(connection.recv(size, socket.MSG_WAITALL))
    message = struct.pack("!H", len(reply)) + reply
    middle = len(message) // 2
    connection.sendall(message[:middle])
    connection.sendall(message[middle : len(message) - cut])


def test_a_query_over_tcp_is_answered_in_pieces() -> None:
    with tcp(_dns_over_tcp) as port:
        request = dns_exchange.Request("::1", QUERY, "tcp", port, timeout=AMPLE)
        answer = dns_exchange.perform(request)

    assert (_rcode(answer), answer.local) == ("NOERROR", "::1")


@pytest.mark.parametrize("cut", [1, 20])
def test_a_reply_cut_short_is_no_reply(cut: int) -> None:
    with tcp(lambda connection: _dns_over_tcp(connection, cut)) as port:
        request = dns_exchange.Request("::1", QUERY, "tcp", port, timeout=AMPLE)
        answer = dns_exchange.perform(request)

    assert (answer.wire, answer.error) == ("", "ECONNRESET")


def test_a_name_is_looked_up_once_for_each_address() -> None:
    answer = lookup.perform(lookup.Request("localhost", timeout=AMPLE))

    assert answer.error == ""
    assert set(answer.addresses) <= set(LOOPBACKS)
    assert answer.addresses
    assert len(set(answer.addresses)) == len(answer.addresses)


@pytest.mark.parametrize("address", LOOPBACKS)
def test_a_literal_address_is_its_own_name(address: str) -> None:
    assert lookup.perform(lookup.Request(address, timeout=AMPLE)).addresses == (address,)


@pytest.mark.parametrize("address", LOOPBACKS)
def test_loopback_works(address: str) -> None:
    assert loopback.perform(loopback.Request(address, timeout=AMPLE)) == loopback.Answer(works=True)


def test_an_address_that_is_not_ours_does_not_work() -> None:
    answer = loopback.perform(loopback.Request("192.0.2.1", timeout=SHORT))

    assert answer == loopback.Answer(works=False, error="EADDRNOTAVAIL")


@pytest.mark.parametrize("address", LOOPBACKS)
def test_the_source_of_loopback_is_loopback(address: str) -> None:
    assert source_address.perform(source_address.Request(address)).local == address


def test_the_kernels_refusal_of_a_source_is_an_answer() -> None:
    answer = source_address.perform(source_address.Request("255.255.255.255"))

    assert (answer.local, answer.error) == ("", "EACCES")


def test_the_network_state_is_that_of_this_machine() -> None:
    state = network_state.perform(network_state.Request())

    loopbacks = {(a.interface, a.address, a.length, a.scope) for a in state.addresses}
    assert ("lo", "127.0.0.1", 8, "host") in loopbacks
    assert ("lo", "::1", 128, "host") in loopbacks
    assert {route.family for route in state.routes} <= {"IPv4", "IPv6"}
    assert all("/" in route.destination or route.destination == "default" for route in state.routes)
    assert "net.ipv6.conf.all.disable_ipv6" in state.sysctls
    assert set(state.environment) == {"POD_IP", "POD_IPS", "HOST_IPS"}


def test_a_routes_own_mtu_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def attribute(kind: int, value: bytes) -> bytes:
        return struct.pack("=HH", 4 + len(value), kind) + value

    metrics = attribute(10, struct.pack("=I", 64)) + attribute(2, struct.pack("=I", 1430))
    body = struct.pack("=BBBBBBBBI", socket.AF_INET6, 0, 0, 0, 254, 0, 0, 1, 0)
    interface = struct.pack("=I", socket.if_nametoindex("lo"))
    dumps = {
        netlink.RTM_GETROUTE: [(body, {4: interface, 8: metrics}), (body, {4: interface})],
    }
    monkeypatch.setattr(netlink, "dump", lambda kind: dumps.get(kind, []))

    state = network_state.perform(network_state.Request())

    assert [route.mtu for route in state.routes] == [1430, 0]


def test_hello_says_who_we_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POD_NAME", "probe-03")
    monkeypatch.setenv("NODE_NAME", "node-1")

    answer = identity.perform(identity.Request())

    assert (answer.pod, answer.node) == ("probe-03", "node-1")
    assert answer.python == platform.python_version()


@pytest.mark.parametrize("address", LOOPBACKS)
def test_an_echo_comes_back_where_it_may_be_asked_for(address: str) -> None:
    answer = ping.perform(ping.Request(address, count=2, timeout=AMPLE))

    wanted: dict[str, Any] = {"permitted": False, "error": "EACCES"}
    if answer.permitted:
        wanted = {"permitted": True, "sent": 2, "received": 2, "local": address}
    assert answer == ping.Answer(**wanted)
