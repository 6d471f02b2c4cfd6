"""An API server on [::1]: real HTTPS, with answers that a test lays down."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import AF_INET6
from typing import Any

import trustme
import yaml

from pytest_ipv6k8s.kube.config import Kubeconfig

TOKEN = "hunter2-secret-token"


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the server says; ``body`` is sent as JSON unless it is bytes; None hangs up."""

    code: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that reached the server."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


class ApiServer(ThreadingHTTPServer):
    """Replies are handed out in the order in which they were laid down, the last one for ever."""

    address_family = AF_INET6
    daemon_threads = True

    def __init__(self, certificate: Any) -> None:
        super().__init__(("::1", 0), _Handler)
        self.replies: list[Reply] = []
        self.asked: list[Asked] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        self.socket = context.wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )

    @property
    def url(self) -> str:
        """Where the server is."""
        return f"https://[::1]:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that do not trust us are part of the tests."""

    def shutdown_request(self, request: Any) -> None:
        """Close a connection whatever state it is in."""
        with contextlib.suppress(OSError):
            request.close()


class _Handler(BaseHTTPRequestHandler):
    server: ApiServer
    protocol_version = "HTTP/1.1"
    timeout = 5
    disable_nagle_algorithm = True

    def _reply(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        sent = self.rfile.read(size)
        self.server.asked.append(
            Asked(
                method=self.command,
                path=self.path,
                headers=dict(self.headers),
                body=json.loads(sent) if sent else None,
            )
        )
        replies = self.server.replies
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if reply.body is None:
            self.close_connection = True
            return
        body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        self.send_response(reply.code)
        for name, value in {**reply.headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_DELETE = _reply

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def serving(certificate: Any) -> Iterator[ApiServer]:
    """Run a server with a certificate of trustme's."""
    server = ApiServer(certificate)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def kubeconfig(folder: Path, url: str, ca: trustme.CA, **cluster: str) -> Kubeconfig:
    """Write a kubeconfig with a bearer token for a server."""
    authority = folder / "ca.crt"
    ca.cert_pem.write_to_path(authority)
    entry = {"server": url, "certificate-authority": str(authority), **cluster}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "one",
        "contexts": [{"name": "one", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": entry}],
        "users": [{"name": "u", "user": {"token": TOKEN}}],
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    return Kubeconfig(path=path, context="one")
