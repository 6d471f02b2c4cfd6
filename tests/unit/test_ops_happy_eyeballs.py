"""Happy Eyeballs, on loopback: what is dead or late is passed by."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from pytest_ipv6k8s.agent.ops import happy_eyeballs
from tests.unit.responders import closed_port

AMPLE, SHORT = 10.0, 0.3
SIX, FOUR = "::1", "127.0.0.1"
Known = dict[int, list[str] | OSError | threading.Event]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Known:
    """What the C library says, by family; an event is an answer that comes late and is empty."""
    known: Known = {socket.AF_INET6: [SIX], socket.AF_INET: [FOUR]}

    def getaddrinfo(name: str, port: None, family: int, kind: int) -> list[Any]:
        said = known[family]
        if isinstance(said, threading.Event):
            said.wait(AMPLE)
            return []
        if isinstance(said, OSError):
            raise said
        return [(family, kind, 6, "", (address, 0)) for address in said]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known


@contextlib.contextmanager
def listening(address: str, port: int = 0) -> Iterator[int]:
    """Listen on loopback, on a port that is free in both families unless one is given."""
    port = port or closed_port()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, port), family=family) as server:
        yield server.getsockname()[1]


@contextlib.contextmanager
def hanging(port: int) -> Iterator[None]:
    """Make ::1 a black hole: a listener whose queue is full drops what comes."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket(socket.AF_INET6, socket.SOCK_STREAM))
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        server.bind((SIX, port))
        server.listen(0)
        for _ in range(4):
            filling = stack.enter_context(socket.socket(socket.AF_INET6, socket.SOCK_STREAM))
            filling.settimeout(0)
            filling.connect_ex((SIX, port))
        yield


def _ask(port: int, *, naive: bool = False, timeout: float = AMPLE) -> happy_eyeballs.Answer:
    request = happy_eyeballs.Request("name.", port, naive=naive, timeout=timeout)
    return happy_eyeballs.perform(request)


def test_ipv6_is_preferred(names: Known) -> None:
    with listening(FOUR) as port, listening(SIX, port):
        answer = _ask(port)

    assert (answer.address, answer.addresses, answer.error) == (SIX, (SIX, FOUR), "")


@pytest.mark.parametrize("naive", [False, True])
def test_a_refusal_is_passed_by(names: Known, naive: bool) -> None:
    with listening(FOUR) as port:
        answer = _ask(port, naive=naive)

    assert answer.address == FOUR
    assert answer.failures[0].startswith("::1: ECONNREFUSED after ")


@pytest.mark.parametrize("naive", [False, True])
def test_a_black_hole_is_passed_by(names: Known, naive: bool) -> None:
    with listening(FOUR) as port, hanging(port):
        answer = _ask(port, naive=naive)

    assert answer.address == FOUR
    assert (answer.seconds >= 1.0) is naive
    assert answer.seconds >= happy_eyeballs.ATTEMPT_DELAY


def test_nobody_there_is_told(names: Known) -> None:
    answer = _ask(closed_port())

    assert answer.address == ""
    assert answer.error.startswith("127.0.0.1: ECONNREFUSED")
    assert len(answer.failures) == 2


def test_it_ends_in_time(names: Known) -> None:
    names[socket.AF_INET] = []
    port = closed_port()
    with hanging(port):
        answer = _ask(port, timeout=SHORT)

    assert answer.address == ""
    assert "ETIMEDOUT" in answer.error


def test_a_late_answer_for_ipv6_is_not_waited_for(names: Known) -> None:
    late = threading.Event()
    names[socket.AF_INET6] = late
    with listening(FOUR) as port:
        answer = _ask(port)
    late.set()

    assert (answer.address, answer.addresses) == (FOUR, (FOUR,))
    assert answer.resolved >= happy_eyeballs.RESOLUTION_DELAY


def test_ipv6_does_not_wait_for_ipv4(names: Known) -> None:
    late = threading.Event()
    names[socket.AF_INET] = late
    with listening(SIX) as port:
        answer = _ask(port)
    late.set()

    assert answer.address == SIX


def test_a_name_without_addresses_is_told(names: Known) -> None:
    names.update({family: socket.gaierror(-2, "unknown") for family in list(names)})

    answer = _ask(closed_port())

    assert (answer.address, answer.addresses, answer.error) == ("", (), "no address")


def test_an_address_without_a_way_is_passed_by(names: Known) -> None:
    names[socket.AF_INET6] = ["fe80::1"]
    with listening(FOUR) as port:
        answer = _ask(port)

    assert answer.address == FOUR
    assert answer.failures[0].startswith("fe80::1: E")
