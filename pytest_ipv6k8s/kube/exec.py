"""WebSocket exec into a pod: bytes in, lines out, and what "the control channel broke" means."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from pytest_ipv6k8s.errors import ControlChannelError
from pytest_ipv6k8s.kube.client import Api

_STDOUT, _STDERR, _STATUS = 1, 2, 3
_CONNECT = 15.0


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
        from kubernetes.client.exceptions import ApiException
        from kubernetes.stream.ws_client import websocket_call
        from websocket import setdefaulttimeout

        setdefaulttimeout(_CONNECT)  # the client offers no timeout of its own for connecting

        self._where = f"exec into pod {namespace}/{pod}"
        self._rest = b""
        query = [("command", word) for word in command] + [
            ("container", container),
            ("stdin", "true"),
            ("stdout", "true"),
            ("stderr", "true"),
        ]
        url = f"{api.server}/api/v1/namespaces/{quote(namespace)}/pods/{quote(pod)}/exec"
        try:
            self._socket: Any = websocket_call(
                api.configuration,
                "GET",
                url,
                query_params=query,
                headers=api.headers(),
                _preload_content=False,
                capture_all=False,
                binary=True,
            )
        except ApiException as error:
            raise ControlChannelError(f"{self._where}: {_first_line(error.reason)}") from None

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
            ControlChannelError: the command ended, the connection broke, or the time was up.
        """
        while b"\n" not in self._rest:
            if time.monotonic() >= deadline:
                raise ControlChannelError(f"{self._where}: no answer in time")
            self._rest += self._receive(min(deadline - time.monotonic(), 1.0))
        line, self._rest = self._rest.split(b"\n", 1)
        return line

    def _receive(self, timeout: float) -> bytes:
        try:
            data = self._take(_STDOUT, max(timeout, 0.0))
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
        said = self._take(_STDERR).decode(errors="replace").strip().splitlines()
        with contextlib.suppress(ValueError, AttributeError):
            status = json.loads(self._take(_STATUS))
            return f"ended: {status.get('message') or status.get('status')}" + (
                f" ({said[-1]})" if said else ""
            )
        return f"ended: {said[-1]}" if said else "the connection was closed"

    def close(self) -> None:
        """Close the connection; the command ends by itself at the end of its input."""
        with contextlib.suppress(Exception):
            self._socket.close()


def _first_line(error: object) -> str:
    return (str(error).strip().splitlines() or ["no reason given"])[0][:200]
