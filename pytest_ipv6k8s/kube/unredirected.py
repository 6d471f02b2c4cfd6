"""The official client's WebSocket, but one that follows no redirect, and reads a frame at a time.

The token would go along with a redirect. And the official one reads for as long as there is
something, so that whoever never pauses keeps it for ever.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType
from typing import Any

_REDIRECTS = range(300, 400)


def websocket_call(configuration: Any, method: str, url: str, **more: Any) -> Any:
    """Open a WebSocket as ``kubernetes.stream.ws_client.websocket_call`` does.

    websocket-client sends all headers to wherever a redirect points, also without TLS; Kubernetes
    1.36 and kubectl know no redirect of exec.

    Raises:
        ApiException: it cannot be opened.
    """
    return _call()(configuration, method, url, **more)


@functools.cache
def _call() -> Callable[..., Any]:
    """Return the official function with another WebSocket class in its scope, and only there."""
    from kubernetes.stream import ws_client

    class WebSocket(ws_client.WebSocket):  # type: ignore[misc]
        def connect(self, url: str, **options: Any) -> None:
            super().connect(url, **options, redirect_limit=0)
            if self.handshake_response.status in _REDIRECTS:  # 1.8 takes it for a connection
                self.close()
                raise ValueError("the server redirects, which is not followed")

    scope = {**vars(ws_client), "WebSocket": WebSocket}

    def within(function: Any) -> Any:
        copy = FunctionType(function.__code__, scope, argdefs=function.__defaults__)
        copy.__kwdefaults__ = function.__kwdefaults__
        return copy

    scope["create_websocket"] = within(ws_client.create_websocket)
    changed = {
        "__init__": within(ws_client.WSClient.__init__),
        "_frames_immediately_available": lambda self: False,
    }
    scope["WSClient"] = type("WSClient", (ws_client.WSClient,), changed)
    call: Callable[..., Any] = within(ws_client.websocket_call)
    return call
