"""Lines from a command in a pod, over a WebSocket that may break in many ways."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import websocket
from kubernetes.client.exceptions import ApiException

from pytest_ipv6k8s.errors import ControlChannelError
from pytest_ipv6k8s.kube import unredirected
from pytest_ipv6k8s.kube.client import Api
from pytest_ipv6k8s.kube.exec import ExecStream
from pytest_ipv6k8s.timeouts import Timeouts
from tests.unit.clock import Clock

STDOUT, STDERR, STATUS = 1, 2, 3


class FakeSocket:
    """The official client's WebSocket: a list of pieces for each channel."""

    def __init__(self, *pieces: Any, clock: Clock, **channels: str) -> None:
        self.pieces = list(pieces)
        self.clock = clock
        self.channels = {STDERR: channels.get("stderr", ""), STATUS: channels.get("status", "")}
        self.written: list[tuple[int, bytes]] = []
        self.ends = bool(channels)

    def read_channel(self, channel: int, timeout: float = 0) -> Any:
        if channel != STDOUT:
            return self.channels.pop(channel, "")
        if not self.pieces:
            self.clock.now += timeout
            return ""
        piece = self.pieces.pop(0)
        if isinstance(piece, Exception):
            raise piece
        return piece

    def write_channel(self, channel: int, data: bytes) -> None:
        if self.ends:
            raise OSError("Broken pipe\nmore")
        self.written.append((channel, data))

    def is_open(self) -> bool:
        return bool(self.pieces) or not self.ends

    def close(self) -> None:
        raise OSError("closed already")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The sockets that will be opened; an exception is raised."""
    waiting: list[Any] = []

    def call(configuration: object, method: str, url: str, **more: Any) -> Any:
        made = waiting.pop(0)
        if isinstance(made, Exception):
            raise made
        made.url, made.query = url, more["query_params"]
        return made

    monkeypatch.setattr(unredirected, "websocket_call", call)
    return waiting


def _open(api: Api) -> ExecStream:
    return ExecStream(api, namespace="n", pod="p", container="agent", command=("python3", "ask"))


def test_the_command_is_run_in_the_container(opened: list[Any], api: Api, clock: Clock) -> None:
    socket: Any = FakeSocket(clock=clock)
    opened.append(socket)

    _open(api).write(b"hello\n")

    assert socket.url == f"{api.server}/api/v1/namespaces/n/pods/p/exec"
    assert socket.query[:3] == [("command", "python3"), ("command", "ask"), ("container", "agent")]
    assert socket.written == [(0, b"hello\n")]


def test_lines_come_whole_whatever_the_pieces(opened: list[Any], api: Api, clock: Clock) -> None:
    opened.append(FakeSocket(b"on", "e\ntw", b"o\nthree\n", clock=clock))
    stream = _open(api)

    assert [stream.read_line(clock.now + 5) for _ in range(3)] == [b"one", b"two", b"three"]


def test_silence_ends_at_the_deadline(opened: list[Any], api: Api, clock: Clock) -> None:
    opened.append(FakeSocket(b"half a li", clock=clock))
    started = clock.now

    with pytest.raises(ControlChannelError, match="exec into pod n/p: no answer in time"):
        _open(api).read_line(clock.now + 2.5)
    assert clock.now == pytest.approx(started + 2.5)


@pytest.mark.parametrize(
    ("channels", "words"),
    [
        ({"status": json.dumps({"status": "Success"})}, "ended: Success"),
        (
            {"status": json.dumps({"message": "exit code 1"}), "stderr": "x\nno such file"},
            "ended: exit code 1 (no such file)",
        ),
        ({"status": "", "stderr": "killed"}, "ended: killed"),
        ({"status": "[]", "stderr": "killed"}, "ended: killed"),
        ({"status": "", "stderr": ""}, "the connection was closed"),
    ],
)
def test_the_end_of_a_command_is_told_in_its_last_words(
    opened: list[Any], api: Api, clock: Clock, channels: dict[str, str], words: str
) -> None:
    opened.append(FakeSocket(b"last line\n", clock=clock, **channels))
    stream = _open(api)

    assert stream.read_line(clock.now + 5) == b"last line"
    with pytest.raises(ControlChannelError) as caught:
        stream.read_line(clock.now + 5)
    assert str(caught.value) == f"exec into pod n/p: {words}"


def test_a_connection_that_breaks_is_told_in_one_line(
    opened: list[Any], api: Api, clock: Clock
) -> None:
    opened.append(FakeSocket(OSError("Connection reset\nby peer"), clock=clock))

    with pytest.raises(ControlChannelError, match=r"^exec into pod n/p: Connection reset$"):
        _open(api).read_line(clock.now + 5)


def test_a_connection_that_cannot_be_written_to_is_told(
    opened: list[Any], api: Api, clock: Clock
) -> None:
    opened.append(FakeSocket(clock=clock, status=""))

    with pytest.raises(ControlChannelError, match=r"^exec into pod n/p: Broken pipe$"):
        _open(api).write(b"x")


@pytest.mark.parametrize(("reason", "words"), [("Forbidden\nmore", "Forbidden"), ("", "no reason")])
def test_a_command_that_cannot_be_started_is_told(
    opened: list[Any], api: Api, reason: str, words: str
) -> None:
    opened.append(ApiException(status=0, reason=reason))

    with pytest.raises(ControlChannelError, match=f"exec into pod n/p: {words}"):
        _open(api)


def test_closing_twice_is_fine(opened: list[Any], api: Api, clock: Clock) -> None:
    opened.append(FakeSocket(clock=clock))
    stream = _open(api)

    stream.close()
    stream.close()


def test_a_server_that_never_accepts_is_given_up(
    opened: list[Any], api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted = threading.Event()
    monkeypatch.setattr(api, "timeouts", replace(Timeouts(), exec_connect=0.01))

    closed = threading.Event()
    late = SimpleNamespace(close=closed.set)

    def hang(*_: object, **__: object) -> SimpleNamespace:
        accepted.wait(30)
        return late

    monkeypatch.setattr(unredirected, "websocket_call", hang)

    with pytest.raises(
        ControlChannelError, match=r"exec into pod n/p: no connection within 0\.01 s"
    ):
        _open(api)
    accepted.set()
    assert closed.wait(30)


def test_nothing_of_the_users_process_is_changed(opened: list[Any], api: Api, clock: Clock) -> None:
    opened.append(FakeSocket(clock=clock))
    _open(api)

    assert websocket.getdefaulttimeout() is None
