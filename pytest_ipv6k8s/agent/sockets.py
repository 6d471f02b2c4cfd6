"""What the operations share about sockets. Standard library only."""

from __future__ import annotations

import errno
import json
import queue
import socket
import struct
import threading
from pathlib import Path
from typing import Any, Dict, List, Optional

IP_MTU, IP_MTU_DISCOVER, IPV6_MTU, IPV6_MTU_DISCOVER = 14, 10, 24, 23
PMTUDISC_DONT, PMTUDISC_DO = 0, 2
TCP_SAVE_SYN, TCP_SAVED_SYN = 27, 28
TCP_INFO_TOTAL_RETRANS = 100
SMALLEST_MTU = 1280
LARGEST_DATAGRAM = 65000
IPV6_COUNTERS = "/proc/net/snmp6"
IPPROTO_SCTP = 132
BY_NAME = 12.0
"""Seconds for what begins with a name: the C library asks once more after five (resolv.conf(5))."""


def family_of(address: str) -> socket.AddressFamily:
    """Return the socket family of a literal address."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def has_sctp(protocols: str = "/proc/net/protocols") -> bool:
    """Tell whether the kernel has SCTP and lets us use it.

    Where it is a module that is not loaded, it is not there: to open a socket would load it, and
    that is not for us to do.
    """
    try:
        known = Path(protocols).read_text().splitlines()
    except OSError:
        return False
    if not any(line.startswith("SCTP") for line in known):
        return False
    for family in (socket.AF_INET6, socket.AF_INET):
        try:
            socket.socket(family, socket.SOCK_STREAM, IPPROTO_SCTP).close()
        except OSError:
            continue
        return True
    return False


def may_ping() -> bool:
    """Tell whether we may send ICMP or ICMPv6 echo requests (icmp(7): ping_group_range)."""
    for family, protocol in (
        (socket.AF_INET6, socket.IPPROTO_ICMPV6),
        (socket.AF_INET, socket.IPPROTO_ICMP),
    ):
        try:
            socket.socket(family, socket.SOCK_DGRAM, protocol).close()
        except OSError:
            continue
        return True
    return False


def name_of_error(error: BaseException) -> str:
    """Return a short, stable name: ECONNREFUSED, ETIMEDOUT, or the class and text."""
    if isinstance(error, socket.timeout):
        return "ETIMEDOUT"
    number = error.errno if isinstance(error, OSError) else None
    if number is not None and number in errno.errorcode:
        return errno.errorcode[number]
    return "%s: %s" % (type(error).__name__, error)


def local_address(sock: socket.socket) -> str:
    """Return the source address that the kernel chose for a connected socket."""
    return unmapped(sock.getsockname()[0])


def unmapped(address: str) -> str:
    """Return an IPv4-mapped IPv6 address as IPv4; leave any other as it is."""
    return address[7:] if address.startswith("::ffff:") and "." in address else address


def identity(text: bytes) -> Dict[str, Any]:
    """Return what a serving agent said of itself, or {} when it was somebody else."""
    try:
        reply = json.loads(text)
    except ValueError:
        return {}
    return reply if isinstance(reply, dict) and "pod" in reply else {}


def resolve(name: str, timeout: float) -> List[str]:
    """Return the addresses of a name as the C library finds them, each once, in its order.

    The C library itself knows no deadline: with a silent server it tries for a minute.

    Raises:
        socket.gaierror: there are none.
        socket.timeout: the time was up; the look-up goes on unheeded.
    """
    found: "queue.Queue[Any]" = queue.Queue()

    def look_up() -> None:
        try:
            found.put(socket.getaddrinfo(name, None, type=socket.SOCK_STREAM))
        except OSError as error:
            found.put(error)
        except UnicodeError as error:
            found.put(socket.gaierror(socket.EAI_NONAME, "no name: %s" % error))

    threading.Thread(target=look_up, daemon=True).start()
    try:
        entries = found.get(timeout=timeout)
    except queue.Empty:
        raise socket.timeout("no answer from the resolver") from None
    if isinstance(entries, OSError):
        raise entries
    return list(dict.fromkeys(str(entry[4][0]) for entry in entries))


def connect(address: str, port: int, timeout: float, *, source_port: int = 0) -> socket.socket:
    """Open a TCP connection to a literal address, from a port of ours or any (0).

    Raises:
        OSError: it could not be opened in time, or our port is taken.
    """
    sock = socket.socket(family_of(address), socket.SOCK_STREAM)
    try:
        if source_port:
            take_port(sock, source_port)
        sock.settimeout(timeout)
        sock.connect((address, port))
    except BaseException:
        sock.close()
        raise
    return sock


def take_port(sock: socket.socket, port: int) -> None:
    """Bind a TCP socket to a port, so that peer and NAT forget the connection when it closes.

    Without the reset both would remember it for minutes, and refuse the port to the next one.

    Raises:
        OSError: the port is taken.
    """
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.bind(("", port))


def authority(host: str, port: int) -> str:
    """Return host and port as a URL has them: IPv6 in brackets (RFC 3986 section 3.2.2)."""
    return ("[%s]:%d" if ":" in host else "%s:%d") % (host, port)


def connect_to(name: str, port: int, timeout: float, *, only_ipv6: bool = False) -> socket.socket:
    """Open a TCP connection to the first address of a name, or literal address, that answers.

    Raises:
        OSError: there is no such address, or none answered in time.
    """
    failure = OSError("no IPv6 address" if only_ipv6 else "no address")
    for address in resolve(name, timeout):
        if only_ipv6 and ":" not in address:
            continue
        try:
            return connect(address, port, timeout)
        except OSError as error:
            failure = error
    raise failure


def read_to_end(sock: socket.socket, limit: int = 1 << 20) -> bytes:
    """Read until the peer closes, at most ``limit`` bytes."""
    parts = []
    size = 0
    while size < limit:
        part = sock.recv(65536)
        if not part:
            break
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def path_mtu(sock: socket.socket) -> int:
    """Return what the kernel knows of the path MTU of a connected socket, 0 when it does not."""
    six = sock.family == socket.AF_INET6
    level, option = (socket.IPPROTO_IPV6, IPV6_MTU) if six else (socket.IPPROTO_IP, IP_MTU)
    try:
        return sock.getsockopt(level, option)
    except OSError:
        return 0


def shape(sock: socket.socket, how: str) -> None:
    """Make a UDP socket send unfragmented, fragmented into 1280-byte parts, or as needed."""
    six = sock.family == socket.AF_INET6
    level = socket.IPPROTO_IPV6 if six else socket.IPPROTO_IP
    discover = IPV6_MTU_DISCOVER if six else IP_MTU_DISCOVER
    if how == "unfragmented":
        sock.setsockopt(level, discover, PMTUDISC_DO)
    elif how == "fragmented" and six:
        sock.setsockopt(level, IPV6_MTU, SMALLEST_MTU)
    elif not six:
        sock.setsockopt(level, discover, PMTUDISC_DONT)


def fragments_made() -> "Optional[int]":
    """Return how many IPv6 fragments this network namespace has made (Ip6FragCreates, RFC 4293).

    None where the kernel does not tell.
    """
    try:
        with open(IPV6_COUNTERS) as file:
            return int(dict(line.split() for line in file)["Ip6FragCreates"])
    except (OSError, KeyError, ValueError):
        return None


def fragments_since(made: "Optional[int]") -> int:
    """Return how many were made since then, -1 where the kernel does not tell."""
    return -1 if made is None else (fragments_made() or made) - made


def retransmissions(sock: Any) -> int:
    """Return how often the kernel sent a segment of a connection again, its SYN too (TCP_INFO)."""
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_TOTAL_RETRANS + 4)
    except OSError:
        return 0
    return int(struct.unpack_from("I", info, TCP_INFO_TOTAL_RETRANS)[0])


def pattern(size: int) -> bytes:
    """Return so many bytes of which no two neighbouring blocks are equal."""
    block = b"".join(b"%06d " % number for number in range(1000))
    return (block * (size // len(block) + 1))[:size]


def saved_mss(sock: Any) -> int:
    """Return the MSS in the SYN of an accepted connection (RFC 9293 section 3.7.1), or 0."""
    try:
        syn = sock.getsockopt(socket.IPPROTO_TCP, TCP_SAVED_SYN, 256)
    except OSError:
        return 0
    start = 40 if syn[:1] and syn[0] >> 4 == 6 else (syn[0] & 15) * 4 if syn else 0
    header = syn[start:]
    options = header[20 : (header[12] >> 4) * 4] if len(header) > 12 else b""
    while options and options[0]:
        if options[0] == 1:
            options = options[1:]
            continue
        if options[0] == 2 and len(options) >= 4:
            return int.from_bytes(options[2:4], "big")
        options = options[max(options[1], 2) :] if len(options) > 1 else b""
    return 0
