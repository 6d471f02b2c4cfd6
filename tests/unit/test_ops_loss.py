"""What is lost on the way, counted on loopback."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from pytest_ipv6k8s.agent.ops import tcp_loss, udp_loss
from tests.unit.responders import Serving, closed_port, serving_agent

LOOPBACKS = ("::1", "127.0.0.1")
COUNT = 640


@pytest.fixture(scope="module")
def agent() -> Iterator[Serving]:
    """A serving agent."""
    with serving_agent("probe-07") as ports:
        yield ports


@contextmanager
def echoing(answer: Callable[[bytes, int], bool]) -> Iterator[int]:
    """Echo the datagrams that are picked by content and source port; yields the port."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.bind(("::1", 0))

        def serve() -> None:
            while True:
                data, peer = sock.recvfrom(2048)
                if not data:
                    return
                if answer(data, peer[1]):
                    sock.sendto(data + b" probe-07", peer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield sock.getsockname()[1]
        finally:
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as last:
                last.sendto(b"", sock.getsockname())
            thread.join()


@pytest.mark.parametrize("address", LOOPBACKS)
def test_where_nothing_is_lost_nothing_is_counted(agent: Serving, address: str) -> None:
    datagrams = udp_loss.perform(udp_loss.Request(address, agent.udp))
    trips = tcp_loss.perform(tcp_loss.Request(address, agent.tcp))

    assert (datagrams.sent, datagrams.lost, datagrams.silent) == (3000, 0, ())
    assert (trips.trips, trips.lossy, trips.failed) == (32 * 94, 0, 0)
    assert datagrams.pods == trips.pods == ("probe-07",)
    assert datagrams.local == trips.local == address


def test_every_lost_datagram_is_counted_once() -> None:
    chance, dropped = random.Random(1), []

    def answer(data: bytes, port: int) -> bool:
        if chance.random() < 0.05:
            dropped.append(data)
            return False
        return True

    with echoing(answer) as port:
        found = udp_loss.perform(udp_loss.Request("::1", port, count=COUNT))

    assert (found.sent, found.lost, found.silent) == (COUNT, len(dropped), ())


def test_flows_that_are_lost_as_a_whole_are_named() -> None:
    with echoing(lambda data, port: port % 2 == 0) as port:
        found = udp_loss.perform(udp_loss.Request("::1", port, count=COUNT, enough=100))

    assert found.silent
    assert all(port % 2 for port in found.silent)
    assert found.lost >= 100
    assert found.sent < COUNT


def test_an_echo_that_comes_late_is_not_lost() -> None:
    held: list[threading.Timer] = []
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.bind(("::1", 0))

        def serve() -> None:
            for number in range(64):
                data, peer = sock.recvfrom(2048)
                delay = 0.4 if number == 40 else 0.0
                held.append(threading.Timer(delay, sock.sendto, (data + b" x", peer)))
                held[-1].start()

        thread = threading.Thread(target=serve)
        thread.start()
        request = udp_loss.Request("::1", sock.getsockname()[1], count=64)
        found = udp_loss.perform(request)
        for item in (thread, *held):
            item.join()

    assert (found.sent, found.lost) == (64, 0)


def test_a_closed_port_loses_everything_and_says_why() -> None:
    port = closed_port()

    datagrams = udp_loss.perform(udp_loss.Request("::1", port, count=COUNT))
    trips = tcp_loss.perform(tcp_loss.Request("::1", port, count=COUNT))

    assert datagrams.lost == datagrams.sent > 0
    assert (datagrams.error, datagrams.pods) == ("ECONNREFUSED", ())
    assert trips.failed == trips.connections == 32
    assert all("ECONNREFUSED" in failure for failure in trips.failures)


def test_a_connection_without_an_answer_has_failed() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as sock:
        sock.bind(("::1", 0))
        sock.listen(64)
        port = sock.getsockname()[1]

        found = tcp_loss.perform(tcp_loss.Request("::1", port, connections=4, usual=0.5))

    assert (found.failed, found.connections) == (4, 4)
    assert all("ETIMEDOUT" in failure for failure in found.failures)


@pytest.mark.parametrize(("least", "fewest", "most"), [(0, 1, 48), (128, 128, 191)])
def test_a_slow_path_is_asked_for_longer_until_it_was_asked_often_enough(
    least: int, fewest: int, most: int
) -> None:
    def slowly(data: bytes, port: int) -> bool:
        time.sleep(0.01)
        return True

    with echoing(slowly) as port:
        request = udp_loss.Request("::1", port, count=640, least=least, usual=0.1, timeout=30)
        found = udp_loss.perform(request)

    assert fewest <= found.sent <= most
    assert found.lost == 0


def test_connections_go_on_until_they_were_asked_often_enough(agent: Serving) -> None:
    request = tcp_loss.Request("::1", agent.tcp, count=10**6, least=10**6, usual=1.0, timeout=2.0)

    found = tcp_loss.perform(request)

    assert found.seconds >= 2.0
    assert found.failed == 0
