"""WebSocket exec into a pod: bytes in, lines out, and what "the control channel broke" means."""

from __future__ import annotations

import contextlib
import functools
import json
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from pytest_ipv6k8s.errors import ControlChannelError
from pytest_ipv6k8s.kube import paths, unredirected
from pytest_ipv6k8s.kube.client import Api

_STDOUT, _STDERR, _STATUS = 1, 2, 3
_LONGEST_LINE, _LAST_WORDS = 2**24, 2**12


class ExecStream:
    """A running command in a container, over a WebSocket of its own.

    For one thread. The official client's shared connection is not used: it breaks REST calls
    that run at the same time (kubernetes-client/python issue 928).

    Raises:
        ControlChannelError: the command could not be started.
    """

    def __init__(
        self, api: Api, *, namespace: str, pod: str, container: str, command: Sequence[str]
    ) -> None:
        self._where = f"exec into pod {namespace}/{pod}"
        self._rest, self._said = b"", b""
        query = [("command", word) for word in command] + [
            ("container", container),
            ("stdin", "true"),
            ("stdout", "true"),
            ("stderr", "true"),
        ]
        url = f"{api.server}{paths.exec_in(namespace, pod)}"
        connect = functools.partial(
            unredirected.websocket_call,
            api.configuration,
            "GET",
            url,
            query_params=query,
            headers=api.headers(),
            _preload_content=False,
            capture_all=False,
            binary=True,
        )
        self._socket: Any = self._connected(connect, api.timeouts.exec_connect)

    def _connected(self, connect: Callable[[], Any], timeout: float) -> Any:
        """Return the WebSocket. The official client knows no timeout here, so a thread connects.

        A thread that hangs is left behind: it keeps nobody from leaving, and closes what it gets.
        """
        from kubernetes.client.exceptions import ApiException

        results: queue.SimpleQueue[Any] = queue.SimpleQueue()
        late = threading.Event()

        def put() -> None:
            try:
                socket = connect()
            except Exception as error:
                results.put(error)
                return
            results.put(socket)
            if late.is_set():
                socket.close()

        threading.Thread(target=put, daemon=True).start()
        try:
            result = results.get(timeout=timeout)
        except queue.Empty:
            late.set()
            problem = f"no connection within {timeout:g} s"
            raise ControlChannelError(f"{self._where}: {problem}") from None
        if isinstance(result, ApiException):
            raise ControlChannelError(f"{self._where}: {_first_line(result.reason)}")
        if isinstance(result, Exception):
            raise result
        return result

    def write(self, data: bytes) -> None:
        """Send bytes to the command's standard input.

        Raises:
            ControlChannelError: the connection is gone.
        """
        try:
            self._socket.write_channel(0, data)
        except Exception as error:
            raise ControlChannelError(f"{self._where}: {_first_line(error)}") from None

    def read_line(self, deadline: float) -> bytes:
        """Return the next line of standard output.

        Args:
            deadline: by ``time.monotonic()``, in seconds.

        Raises:
            ControlChannelError: the command ended, the connection broke, the time was up, or the
                line has no end.
        """
        while b"\n" not in self._rest:
            if time.monotonic() >= deadline:
                raise ControlChannelError(f"{self._where}: no answer in time")
            if len(self._rest) > _LONGEST_LINE:
                raise ControlChannelError(f"{self._where}: {len(self._rest)} bytes and no line")
            self._rest += self._receive(min(deadline - time.monotonic(), 1.0))
        line, self._rest = self._rest.split(b"\n", 1)
        return line

    def _receive(self, timeout: float) -> bytes:
        try:
            data = self._take(_STDOUT, max(timeout, 0.0))
            self._said = (self._said + self._take(_STDERR))[-_LAST_WORDS:]
        except Exception as error:
            raise ControlChannelError(f"{self._where}: {_first_line(error)}") from None
        if not data and not self._socket.is_open():
            raise ControlChannelError(f"{self._where}: {self._last_words()}")
        return data

    def _take(self, channel: int, timeout: float = 0.0) -> bytes:
        data = self._socket.read_channel(channel, timeout=timeout)
        return data if isinstance(data, bytes) else str(data).encode()

    def _last_words(self) -> str:
        """Say why the command ended; the status may be missing or be of several shapes."""
        lines = self._said.decode(errors="replace").strip().splitlines()
        with contextlib.suppress(ValueError, AttributeError):
            status = json.loads(self._take(_STATUS))
            return f"ended: {status.get('message') or status.get('status')}" + (
                f" ({lines[-1]})" if lines else ""
            )
        return f"ended: {lines[-1]}" if lines else "the connection was closed"

    def close(self) -> None:
        """Close the connection; the command ends by itself at the end of its input."""
        with contextlib.suppress(Exception):
            self._socket.close()


def _first_line(error: object) -> str:
    return (str(error).strip().splitlines() or ["no reason given"])[0][:200]
