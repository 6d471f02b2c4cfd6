"""Serve TCP, UDP, HTTP and SCTP on both families; a reply says who we are and whom we saw."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import os
import socket
from typing import Any, List, Tuple

from pytest_ipv6k8s.agent import sockets
from pytest_ipv6k8s.agent.ports import (
    COOKIE,
    ECHO,
    HTTP_PORT,
    OWN_SOCKET,
    PADDING,
    SCTP_PORT,
    SIZE,
    TCP_PORTS,
    UDP_PORT,
)
from pytest_ipv6k8s.agent.sockets import unmapped

LARGEST = 16 << 20
LARGEST_BUFFER = 4 << 20


def serve() -> None:
    """Serve until the process is ended.

    Raises:
        OSError: no family could be listened on.
    """
    asyncio.run(_serve())


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    families = _families()
    for family in families:
        await asyncio.start_server(_http, sock=_bound(family, socket.SOCK_STREAM, HTTP_PORT))
        for port in TCP_PORTS:
            await asyncio.start_server(_tcp, sock=_bound(family, socket.SOCK_STREAM, port))
        if sockets.has_sctp():
            kind, protocol = socket.SOCK_STREAM, sockets.IPPROTO_SCTP
            await asyncio.start_server(_tcp, sock=_bound(family, kind, SCTP_PORT, protocol))
        sock = _bound(family, socket.SOCK_DGRAM, UDP_PORT)
        await loop.create_datagram_endpoint(_Udp, sock=sock)
    with contextlib.suppress(OSError):  # another server of ours in this network namespace has it
        await asyncio.start_unix_server(_own, OWN_SOCKET)
    await asyncio.Event().wait()


def _families() -> List[socket.AddressFamily]:
    found = []
    for family in (socket.AF_INET6, socket.AF_INET):
        try:
            _bound(family, socket.SOCK_STREAM, 0).close()
        except OSError:
            continue
        found.append(family)
    if not found:
        raise OSError("neither IPv6 nor IPv4 can be listened on")
    return found


def _bound(
    family: socket.AddressFamily, kind: socket.SocketKind, port: int, protocol: int = 0
) -> socket.socket:
    sock = socket.socket(family, kind, protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    if kind == socket.SOCK_DGRAM:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LARGEST_BUFFER)
    if kind == socket.SOCK_STREAM:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, sockets.TCP_SAVE_SYN, 1)
    sock.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port))
    sock.setblocking(False)
    return sock


def _identity(peer: Tuple[Any, ...], payload: str = "", mss: int = 0) -> bytes:
    reply = {
        "pod": os.environ.get("POD_NAME", ""),
        "node": os.environ.get("NODE_NAME", ""),
        "source": unmapped(peer[0]),
        "port": peer[1],
        "payload": payload,
        "mss": mss,
    }
    return json.dumps(reply).encode()


async def _tcp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        line = await asyncio.wait_for(reader.readline(), 10)
        if line.startswith(ECHO):
            await _echo(reader, writer)
            return
        peer = writer.get_extra_info("peername")
        mss = sockets.saved_mss(writer.get_extra_info("socket"))
        writer.write(_identity(peer, line.decode(errors="replace").rstrip("\n"), mss))
        await writer.drain()
    except (OSError, ValueError, asyncio.TimeoutError):
        pass
    finally:
        writer.close()


async def _own(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Tell whoever asks in this pod that we live: also where no network works, not even lo."""
    try:
        writer.write(await asyncio.wait_for(reader.readline(), 10))
        await writer.drain()
    except (OSError, ValueError, asyncio.TimeoutError):
        pass
    finally:
        writer.close()


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer line by line, with what we had to send again so far, until the peer closes."""
    sock, line = writer.get_extra_info("socket"), ECHO
    while line:
        writer.write(b"%s%d %s\n" % (ECHO, sockets.retransmissions(sock), _name()))
        line = await asyncio.wait_for(reader.readline(), 60)


def _name() -> bytes:
    return os.environ.get("POD_NAME", "").encode()


async def _http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        asked = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        body = await _body(asked, reader, writer.get_extra_info("peername"))
        head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
        writer.write((head % len(body)).encode() + b"Connection: close\r\n\r\n" + body)
        await writer.drain()
    except (OSError, ValueError, EOFError, asyncio.TimeoutError, asyncio.LimitOverrunError):
        pass
    finally:
        writer.close()


async def _body(asked: bytes, reader: asyncio.StreamReader, peer: Any) -> bytes:
    """Return what is asked for: many bytes, what became of an upload, or who we are."""
    method, _, rest = asked.partition(b" ")
    path = rest.partition(b" ")[0]
    if method == b"GET" and path.startswith(b"/bytes/"):
        return sockets.pattern(min(int(path[7:]), LARGEST))
    if method == b"POST":
        size = min(int(asked.lower().partition(b"content-length:")[2].split()[0]), LARGEST)
        data = await asyncio.wait_for(reader.readexactly(size), 60)
        return _identity(peer, "%d %s" % (len(data), hashlib.sha256(data).hexdigest()))
    return _identity(peer)


class _Udp(asyncio.DatagramProtocol):
    """Never sends more than it got, unless to somebody who has shown that he gets what we send.

    Else whoever forges a source address could have us flood it, for as long as we run.
    """

    def __init__(self) -> None:
        self._secret = os.urandom(16)

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Tuple[Any, ...]) -> None:
        asked, reply, known = data.rstrip(PADDING), b"", False
        if data.startswith(ECHO):
            reply = b"%s %s" % (asked, _name())
        elif data.startswith(SIZE):
            with contextlib.suppress(ValueError):  # nothing that we send
                reply, known = self._sized(data, addr)
        else:
            reply = _identity(addr, asked.decode(errors="replace"))
        if reply and (known or len(reply) <= len(data)):
            self.transport.sendto(reply, addr)

    def _sized(self, data: bytes, addr: Tuple[Any, ...]) -> Tuple[bytes, bool]:
        """Return length and digest of what came, filled up; for more than came first a cookie."""
        wanted, cookie = data.split(b" ", 3)[1:3]
        size = min(int(wanted), 65000)
        here = hmac.new(self._secret, repr(addr[:2]).encode(), "sha256").hexdigest()[:COOKIE]
        known = hmac.compare_digest(cookie, here.encode())
        if size > len(data) and not known:
            return SIZE + here.encode(), False
        reply = b"%d %s" % (len(data), hashlib.sha256(data).hexdigest().encode())
        return reply.ljust(size, b"."), known
