"""Little servers on loopback, and our own serving agent as a process of its own."""

from __future__ import annotations

import contextlib
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Handler = Callable[[socket.socket], None]
_SERVE = (
    "import sys; from pytest_ipv6k8s.agent import server; "
    "http, tcp, udp = map(int, sys.argv[1:]); "
    "server.HTTP_PORT, server.TCP_PORTS, server.UDP_PORT, server.SCTP_PORT = http, (tcp,), udp, 0; "
    "server.OWN_SOCKET = '\\0ipv6k8s-%d' % http; "
    "server.serve()"
)


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


@contextlib.contextmanager
def udp(reply: Callable[[bytes], list[bytes]], address: str = "::1") -> Iterator[int]:
    """Answer datagrams until the test is over; an empty datagram ends the thread."""
    with socket.socket(_family(address), socket.SOCK_DGRAM) as sock:
        sock.bind((address, 0))

        def serve() -> None:
            while True:
                data, peer = sock.recvfrom(65536)
                if not data:
                    return
                for answer in reply(data):
                    sock.sendto(answer, peer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield sock.getsockname()[1]
        finally:
            with socket.socket(_family(address), socket.SOCK_DGRAM) as ending:
                ending.sendto(b"", sock.getsockname())
            thread.join()


@contextlib.contextmanager
def tcp(handle: Handler, address: str = "::1") -> Iterator[int]:
    """Handle one connection; the peer's hanging up ends it."""
    with socket.create_server((address, 0), family=_family(address)) as listener:
        listener.settimeout(10)

        def serve() -> None:
            with contextlib.suppress(OSError), listener.accept()[0] as connection:
                connection.settimeout(10)
                handle(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            with contextlib.suppress(OSError):
                socket.create_connection(listener.getsockname()[:2], timeout=1).close()
            thread.join()


def closed_port() -> int:
    """Return a port on which nobody listens in either family.

    It is none of those that the kernel gives to clients, or one of them might take it meanwhile.
    """
    while True:
        port = random.randrange(20000, 32000)
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for address in ("127.0.0.1", "::1"):
                sock = socket.socket(_family(address), socket.SOCK_STREAM)
                stack.enter_context(sock).bind((address, port))
            return port


@dataclass(frozen=True)
class Serving:
    """The ports of a serving agent."""

    http: int
    tcp: int
    udp: int

    @property
    def own(self) -> str:
        """Its socket for those on the same machine."""
        return f"\0ipv6k8s-{self.http}"


@contextlib.contextmanager
def serving_agent(pod: str) -> Iterator[Serving]:
    """Run the agent's server on free ports, until it answers."""
    ports = Serving(closed_port(), closed_port(), closed_port())
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(ports.http), str(ports.tcp), str(ports.udp)],
        env={"POD_NAME": pod, "NODE_NAME": "node"},
    )
    try:
        for port in (ports.http, ports.tcp):
            _wait_for(port, process)
        yield ports
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for address in ("::1", "127.0.0.1"):
        for _ in range(1000):
            assert process.poll() is None, "the serving agent has ended"
            with contextlib.suppress(OSError):
                socket.create_connection((address, port), timeout=1).close()
                break
            time.sleep(0.01)
