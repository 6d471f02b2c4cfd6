"""Questions from a port of our own choice, and inboxes, on loopback."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from pytest_ipv6k8s.agent.ops import tcp_connect, tcp_flows, udp_exchange, udp_listen
from tests.unit.responders import Serving, closed_port, serving_agent

AMPLE, SHORT = 10.0, 0.2
LOOPBACKS = ("::1", "127.0.0.1")


@pytest.fixture(scope="module")
def agent() -> Iterator[Serving]:
    """A serving agent."""
    with serving_agent("probe-07") as ports:
        yield ports


@pytest.mark.parametrize("address", LOOPBACKS)
def test_a_connection_comes_from_the_port_that_was_set(agent: Serving, address: str) -> None:
    own = closed_port()
    request = tcp_connect.Request(address, agent.tcp, timeout=AMPLE, source_port=own)

    answers = [tcp_connect.perform(request) for _ in range(2)]

    for answer in answers:
        assert (answer.echoed, answer.local_port, answer.seen_port) == (True, own, own)


def test_without_one_the_kernel_chooses_the_port(agent: Serving) -> None:
    answer = tcp_connect.perform(tcp_connect.Request("::1", agent.tcp, timeout=AMPLE))

    assert answer.local_port == answer.seen_port > 0


@pytest.mark.parametrize("address", LOOPBACKS)
def test_a_datagram_comes_from_the_port_that_was_set(agent: Serving, address: str) -> None:
    own = closed_port()
    request = udp_exchange.Request(address, agent.udp, timeout=AMPLE, source_port=own)

    answer = udp_exchange.perform(request)

    assert (answer.echoed, answer.local_port, answer.seen_port) == (1, own, own)


def test_a_port_that_is_taken_is_an_answer() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        port = taken.getsockname()[1]
        answer = tcp_connect.perform(tcp_connect.Request("::1", port, source_port=port))

    assert (answer.connected, answer.error) == (False, "EADDRINUSE")


def test_a_taken_udp_port_is_an_answer() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as taken:
        taken.bind(("::", 0))
        port = taken.getsockname()[1]
        answer = udp_exchange.perform(udp_exchange.Request("::1", 9, source_port=port))

    assert (answer.sent, answer.error) == (0, "EADDRINUSE")


def test_a_big_datagram_is_echoed(agent: Serving) -> None:
    request = udp_exchange.Request("::1", agent.udp, payload="x" * 2000, timeout=AMPLE)

    assert udp_exchange.perform(request).echoed == 1


@pytest.mark.parametrize("address", LOOPBACKS)
def test_many_flows_are_answered(agent: Serving, address: str) -> None:
    request = tcp_flows.Request(address, agent.tcp, first_port=18000, count=60, at_once=20)

    answer = tcp_flows.perform(request)

    assert (answer.opened, answer.answered, answer.taken) == (60, 60, 0), answer.failures
    assert (answer.renumbered, answer.seen_sources) == (0, (address,))


def test_flows_that_are_refused_are_told() -> None:
    answer = tcp_flows.perform(tcp_flows.Request("::1", closed_port(), first_port=18100, count=8))

    assert (answer.opened, answer.answered) == (8, 0)
    assert answer.failures[0] == "18100: ECONNREFUSED"
    assert len(answer.failures) == 5


def test_flows_without_an_answer_end_in_time() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as silent:
        port = silent.getsockname()[1]
        answer = tcp_flows.perform(
            tcp_flows.Request("::1", port, first_port=18200, count=3, timeout=SHORT)
        )

    assert (answer.opened, answer.answered) == (3, 0)
    assert answer.failures == tuple(f"{18200 + n}: ETIMEDOUT" for n in range(3))


def test_ports_that_are_taken_are_counted_apart(agent: Serving) -> None:
    with socket.create_server(("::", 18301), family=socket.AF_INET6):
        answer = tcp_flows.perform(tcp_flows.Request("::1", agent.tcp, first_port=18300, count=3))

    assert (answer.opened, answer.answered, answer.taken) == (2, 2, 1)


@pytest.mark.parametrize("address", LOOPBACKS)
def test_an_inbox_says_what_came(address: str) -> None:
    box = udp_listen.perform(udp_listen.Request(address))
    sent = udp_exchange.perform(
        udp_exchange.Request(address, box.port, count=2, payload="probe-00", timeout=SHORT)
    )

    heard = udp_listen.perform(
        udp_listen.Request(address, box.port, wanted=2, timeout=AMPLE)
    ).received

    assert [item.payload for item in heard] == ["probe-00 0", "probe-00 1"]
    assert {(item.source, item.port) for item in heard} == {(address, sent.local_port)}
    assert sent.echoed == 0


def test_an_empty_inbox_is_closed_in_time() -> None:
    box = udp_listen.perform(udp_listen.Request("::1"))

    closed = udp_listen.perform(udp_listen.Request("::1", box.port, wanted=1, timeout=SHORT))

    assert closed == udp_listen.Answer(port=box.port)
    assert udp_listen.perform(udp_listen.Request("::1", box.port)).error == "no such inbox"


def test_an_inbox_on_a_strange_address_is_refused() -> None:
    assert udp_listen.perform(udp_listen.Request("192.0.2.1")).error == "EADDRNOTAVAIL"
