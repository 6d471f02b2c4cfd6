"""Move many bytes over TCP, and say whether they arrived intact and what the path MTU is now."""

from __future__ import annotations

import hashlib
import socket
import time
from dataclasses import dataclass

from pytest_ipv6k8s.agent import ops, sockets


@dataclass(frozen=True)
class Answer:
    """``moved`` bytes of ``wanted``; ``path_mtu`` is what the kernel knows of the way there."""

    moved: int
    wanted: int
    intact: bool = False
    path_mtu: int = 0
    local: str = ""
    error: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """Towards an HTTP server of ours; ``direction`` is down or up; ``timeout`` is for all of it."""

    awaits_one = True
    address: str
    port: int
    size: int = 1 << 20
    direction: str = "down"
    timeout: float = 10.0


def perform(request: Request) -> Answer:
    started = time.monotonic()
    try:
        sock = sockets.connect(request.address, request.port, request.timeout)
    except OSError as error:
        return Answer(moved=0, wanted=request.size, error=sockets.name_of_error(error))
    with sock:
        local, moved, intact, failure = sockets.local_address(sock), 0, False, ""
        move = _upload if request.direction == "up" else _download
        try:
            moved, intact = move(sock, request, started + request.timeout)
        except OSError as error:
            failure = sockets.name_of_error(error)
        return Answer(
            moved=moved,
            wanted=request.size,
            intact=intact,
            path_mtu=sockets.path_mtu(sock),
            local=local,
            error=failure,
            seconds=time.monotonic() - started,
        )


def _download(sock: socket.socket, request: Request, deadline: float) -> "tuple[int, bool]":
    sock.sendall(b"GET /bytes/%d HTTP/1.1\r\nHost: x\r\n\r\n" % request.size)
    body, digest, moved = b"", hashlib.sha256(), 0
    while b"\r\n\r\n" not in body:
        body += _receive(sock, deadline)
    part = body.partition(b"\r\n\r\n")[2]
    while part or moved < request.size:
        digest.update(part)
        moved += len(part)
        if moved >= request.size:
            break
        part = _receive(sock, deadline)
    return moved, digest.digest() == hashlib.sha256(sockets.pattern(request.size)).digest()


def _upload(sock: socket.socket, request: Request, deadline: float) -> "tuple[int, bool]":
    data = sockets.pattern(request.size)
    head = b"POST /bytes HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % request.size
    sock.settimeout(max(deadline - time.monotonic(), 0.1))
    sock.sendall(head + data)
    answer = b""
    while b"\r\n\r\n" not in answer or b"}" not in answer:
        answer += _receive(sock, deadline)
    reply = sockets.identity(answer.partition(b"\r\n\r\n")[2])
    wanted = "%d %s" % (len(data), hashlib.sha256(data).hexdigest())
    return len(data), reply.get("payload") == wanted


def _receive(sock: socket.socket, deadline: float) -> bytes:
    sock.settimeout(max(deadline - time.monotonic(), 0.1))
    part = sock.recv(1 << 16)
    if not part:
        raise ConnectionResetError(104, "closed in mid-transfer")
    return part
