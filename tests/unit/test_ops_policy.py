"""Operations that NetworkPolicy checks need, done on loopback."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from pytest_ipv6k8s.agent import sockets
from pytest_ipv6k8s.agent.ops import identity, policy_latency, sctp_exchange
from tests.unit.responders import closed_port, serving_agent

AMPLE = 10.0


def test_connections_that_succeed_already_have_flipped_at_once() -> None:
    with serving_agent("probe-07") as ports:
        answer = policy_latency.perform(policy_latency.Request("::1", ports.tcp, opens=True))

    assert (answer.flipped, answer.tries, answer.error) == (True, 2, "")
    assert answer.seconds < 1


def test_connections_begin_to_succeed_when_somebody_listens() -> None:
    port, listeners = closed_port(), []

    def listen() -> None:
        listeners.append(socket.create_server(("::1", port), family=socket.AF_INET6))

    timer = threading.Timer(0.3, listen)
    timer.start()
    try:
        answer = policy_latency.perform(
            policy_latency.Request("::1", port, opens=True, timeout=AMPLE)
        )
    finally:
        timer.join()
        listeners[0].close()

    assert answer.flipped
    assert 0.2 < answer.seconds < AMPLE
    assert answer.tries > 2


def test_connections_that_never_fail_do_not_flip() -> None:
    with serving_agent("probe-07") as ports:
        request = policy_latency.Request("::1", ports.tcp, opens=False, timeout=0.3)
        answer = policy_latency.perform(request)

    assert not answer.flipped
    assert answer.tries > 1


def test_a_refusal_is_shut() -> None:
    request = policy_latency.Request("::1", closed_port(), opens=False, timeout=AMPLE)

    answer = policy_latency.perform(request)

    assert (answer.flipped, answer.error) == (True, "ECONNREFUSED")


@pytest.mark.skipif(sockets.has_sctp(), reason="this kernel has SCTP")
def test_without_sctp_in_the_kernel_nothing_is_sent() -> None:
    answer = sctp_exchange.perform(sctp_exchange.Request("::1", 1))

    assert (answer.supported, answer.connected) == (False, False)
    assert answer.error in ("EPROTONOSUPPORT", "ESOCKTNOSUPPORT")


class TcpForSctp(socket.socket):
    """A kernel that takes TCP for SCTP: their one-to-one sockets are used alike."""

    def __init__(self, family: int, kind: int, protocol: int = 0) -> None:
        assert protocol == sockets.IPPROTO_SCTP
        super().__init__(family, kind)


@pytest.mark.parametrize("address", ["::1", "127.0.0.1"])
def test_an_association_tells_who_answered(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    with serving_agent("probe-07") as ports:
        monkeypatch.setattr("socket.socket", TcpForSctp)
        answer = sctp_exchange.perform(sctp_exchange.Request(address, ports.tcp, timeout=AMPLE))
        monkeypatch.undo()

    assert (answer.supported, answer.connected, answer.echoed) == (True, True, True)
    assert (answer.pod, answer.seen_source, answer.local) == ("probe-07", address, address)


def test_a_refused_association_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    port = closed_port()
    monkeypatch.setattr("socket.socket", TcpForSctp)
    answer = sctp_exchange.perform(sctp_exchange.Request("::1", port, timeout=AMPLE))
    monkeypatch.undo()

    assert (answer.supported, answer.connected) == (True, False)
    assert answer.error == "ECONNREFUSED"


def test_sctp_is_not_loaded_to_see_whether_it_is_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without, having = tmp_path / "without", tmp_path / "having"
    without.write_text("protocol size\nTCPv6 1\nTCP 1\n")
    having.write_text("protocol size\nSCTPv6 1\nTCP 1\n")
    opened = []

    class Opened(TcpForSctp):
        def __init__(self, *words: int) -> None:
            opened.append(words)
            super().__init__(*words)

    monkeypatch.setattr("socket.socket", Opened)
    found = [sockets.has_sctp(str(path)) for path in (without, tmp_path / "none")]
    assert (found, opened) == ([False, False], [])
    found = [sockets.has_sctp(str(having))]
    monkeypatch.undo()

    assert found == [True]
    assert opened


def test_sctp_that_is_closed_to_us_is_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    having = tmp_path / "having"
    having.write_text("SCTP 1\n")

    def validate(*words: int) -> None:
        raise PermissionError(1, "no")

    monkeypatch.setattr("socket.socket", validate)
    found = sockets.has_sctp(str(having))
    monkeypatch.undo()

    assert not found


def test_a_probe_says_whether_its_kernel_has_sctp() -> None:
    assert identity.perform(identity.Request()).sctp is sockets.has_sctp()


def test_a_probe_says_whether_it_may_ping(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*words: int) -> None:
        raise PermissionError(13, "no")

    monkeypatch.setattr("socket.socket", refuse)

    assert not identity.perform(identity.Request()).ping
