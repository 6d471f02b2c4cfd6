"""Programs in pods that never stop talking, behind a real WebSocket."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from pytest_ipv6k8s.agent.ops import identity
from pytest_ipv6k8s.errors import ControlChannelError
from pytest_ipv6k8s.kube import exec as kube_exec
from pytest_ipv6k8s.kube.client import Api
from pytest_ipv6k8s.kube.exec import ExecStream
from pytest_ipv6k8s.probe.session import Session
from pytest_ipv6k8s.timeouts import Timeouts
from tests.unit.api_server import kubeconfig

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
STDOUT, STDERR = 1, 2


def _frame(channel: int, data: bytes) -> bytes:
    payload = bytes([channel]) + data
    return b"\x82\x7e" + struct.pack(">H", len(payload)) + payload


def _accept(connection: socket.socket) -> None:
    request = b""
    while b"\r\n\r\n" not in request:
        request += connection.recv(4096)
    headers = dict(line.split(b": ", 1) for line in request.split(b"\r\n")[1:] if b": " in line)
    key = {name.lower(): value for name, value in headers.items()}[b"sec-websocket-key"]
    accepted = base64.b64encode(hashlib.sha1(key + GUID).digest())
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n"
        b"Sec-WebSocket-Accept: " + accepted + b"\r\n\r\n"
    )


@contextmanager
def flooding(frame: bytes) -> Iterator[str]:
    """Serve commands that say one and the same for ever; return the URL."""
    listener = socket.create_server(("::1", 0), family=socket.AF_INET6)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    _accept(connection)
                    while True:
                        connection.sendall(frame * 16)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://[::1]:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _open(folder: Path, url: str, ca: trustme.CA) -> ExecStream:
    api = Api(kubeconfig(folder, url, ca))
    return ExecStream(api, namespace="n", pod="p", container="agent", command=("python3", "ask"))


@pytest.mark.parametrize(
    ("channel", "piece", "said"),
    [
        (STDERR, b"Traceback!\n" * 1000, "no answer in time"),
        (STDOUT, b"x" * 60_000, "bytes and no line"),
    ],
)
def test_a_flood_is_given_up(
    tmp_path: Path,
    ca: trustme.CA,
    monkeypatch: pytest.MonkeyPatch,
    channel: int,
    piece: bytes,
    said: str,
) -> None:
    monkeypatch.setattr(kube_exec, "_LONGEST_LINE", 2**20)
    with flooding(_frame(channel, piece)) as url:
        stream = _open(tmp_path, url, ca)

        with pytest.raises(ControlChannelError, match=said):
            stream.read_line(time.monotonic() + 1.0)
        assert len(stream._said) <= 4096
        stream.close()


def test_a_flood_of_answers_that_nobody_asked_for_is_given_up(
    tmp_path: Path, ca: trustme.CA
) -> None:
    with flooding(_frame(STDOUT, b'{"seq": 77, "answer": {}}\n' * 100)) as url:
        asked = Session(
            lambda: _open(tmp_path, url, ca), timeouts=replace(Timeouts(), agent_reply=20.0)
        )

        with pytest.raises(ControlChannelError, match="answers what nobody asked"):
            asked([identity.Request()])
        asked.close()
