"""Send UDP datagrams of a size, and say whether they arrived whole and what came back."""

from __future__ import annotations

import errno
import hashlib
import socket
import time
from dataclasses import dataclass, replace
from typing import Tuple

from pytest_ipv6k8s.agent import ops, sockets
from pytest_ipv6k8s.agent.ports import COOKIE, PADDING, ROOM, SIZE

UNFRAGMENTED, FRAGMENTED, AS_NEEDED = "unfragmented", "fragmented", "as needed"
_SMALL, _PARTS = 3, 8


@dataclass(frozen=True)
class Answer:
    """``arrived`` tells that the server got it whole; ``replied`` is the reply's size in bytes.

    ``arrivals`` counts those that did. ``path_mtu`` is what the kernel knows of the way there,
    ``too_big`` that it refused the size. ``fragments`` is how many IPv6 fragments it made meanwhile
    in the pod's network namespace (Ip6FragCreates, RFC 4293), -1 where it does not tell.
    """

    arrived: bool
    replied: int = 0
    path_mtu: int = 0
    too_big: bool = False
    local: str = ""
    replied_from: str = ""
    error: str = ""
    seconds: float = 0.0
    arrivals: int = 0
    fragments: int = -1


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """``size`` and ``reply_size`` are UDP payloads in bytes; tried ``tries`` times within the time.

    ``how`` is unfragmented (with a path MTU that a router may lower), fragmented (into parts of
    1280 bytes, with as much more payload as the path does not take whole: the kernel sends whole
    what fits) or as needed. ``every`` sends all ``tries`` one after the other, whatever becomes
    of the first: to count them.
    """

    awaits_one = True
    address: str
    port: int
    size: int
    reply_size: int = 0
    how: str = AS_NEEDED
    tries: int = 3
    timeout: float = 3.0
    every: bool = False


def perform(request: Request) -> Answer:
    started = time.monotonic()
    with socket.socket(sockets.family_of(request.address), socket.SOCK_DGRAM) as sock:
        try:
            sockets.shape(sock, request.how)
            sock.connect((request.address, request.port))
        except OSError as error:
            return Answer(arrived=False, error=sockets.name_of_error(error))
        if request.how == FRAGMENTED:
            request = _beyond(sockets.path_mtu(sock), request)
        cookie, trouble = _cookie(sock, request)
        if trouble:
            return Answer(arrived=False, error=trouble, seconds=time.monotonic() - started)
        sock.settimeout(request.timeout / request.tries)
        return _exchange(sock, request, _payload(request, cookie), started)


def _beyond(path_mtu: int, request: Request) -> Request:
    """Let neither the datagram nor its reply, if one of a size is asked for, fit into a packet."""
    size = max(request.size, min(path_mtu, sockets.LARGEST_DATAGRAM))
    reply = max(request.reply_size, size) if request.reply_size else 0
    return replace(request, size=size, reply_size=reply)


def _exchange(sock: socket.socket, request: Request, payload: bytes, started: float) -> Answer:
    reply, failure, too_big, arrivals = b"", "", False, 0
    made = sockets.fragments_made()
    for _ in range(request.tries):
        try:
            sock.send(payload)
            reply = sock.recv(65535)
        except OSError as error:
            failure = sockets.name_of_error(error)
            too_big = too_big or error.errno == errno.EMSGSIZE
            continue
        failure = ""
        arrivals += _says_whole(reply, payload, request.reply_size)
        if not request.every:
            break
    return Answer(
        arrived=arrivals > 0,
        replied=len(reply),
        path_mtu=sockets.path_mtu(sock),
        too_big=too_big,
        local=sockets.local_address(sock),
        replied_from=sock.getpeername()[0] if reply else "",
        error=failure,
        seconds=time.monotonic() - started,
        arrivals=arrivals,
        fragments=sockets.fragments_since(made),
    )


def _cookie(sock: socket.socket, request: Request) -> Tuple[bytes, str]:
    """Return what lets us have more than we send, or why there is none.

    It is asked for with small datagrams, in a part of the time; none is where none is needed.
    """
    none, failure = b"-" * COOKIE, ""
    if request.reply_size <= request.size:
        return none, failure
    sock.settimeout(request.timeout / _PARTS)
    for _ in range(_SMALL):
        try:
            sock.send((b"%s%d %s " % (SIZE, request.reply_size, none)).ljust(ROOM, PADDING))
            reply = sock.recv(ROOM)
        except OSError as error:
            failure = sockets.name_of_error(error)
            continue
        if reply.startswith(SIZE):
            return reply[len(SIZE) :], ""
    return none, failure or "no cookie"


def _payload(request: Request, cookie: bytes) -> bytes:
    head = b"%s%d %s " % (SIZE, request.reply_size, cookie)
    return head + sockets.pattern(request.size - len(head))


def _says_whole(reply: bytes, payload: bytes, least: int) -> bool:
    """The reply begins with length and hash of what the server got, whatever else is in it."""
    wanted = b"%d %s" % (len(payload), hashlib.sha256(payload).hexdigest().encode())
    return reply.startswith(wanted) and len(reply) >= least
