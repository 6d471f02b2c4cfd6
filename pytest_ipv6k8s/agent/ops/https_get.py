"""Fetch a page over HTTPS and verify the server's certificate against a CA file."""

from __future__ import annotations

import http.client
from dataclasses import dataclass

from pytest_ipv6k8s.agent import http1, ops, sockets, tls


@dataclass(frozen=True)
class Answer:
    """``verified`` tells that TLS with the wanted name came to stand; ``status`` is the reply's."""

    verified: bool
    address: str = ""
    local: str = ""
    status: int = 0
    error: str = ""


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """``host`` is connected to; the certificate names ``server_name``. Both: name or address."""

    awaits_one = True
    host: str
    port: int
    server_name: str
    path: str
    ca_file: str
    timeout: float = sockets.BY_NAME


def perform(request: Request) -> Answer:
    try:
        context = tls.client_context(request.ca_file)
        raw = sockets.connect_to(request.host, request.port, request.timeout)
    except OSError as error:
        return Answer(verified=False, error=sockets.name_of_error(error))
    with raw:
        peer, local = sockets.unmapped(raw.getpeername()[0]), sockets.local_address(raw)
        try:
            with context.wrap_socket(raw, server_hostname=request.server_name) as secure:
                status = http1.get(secure, request.path, _authority(request.server_name)).status
        except (OSError, http.client.HTTPException) as error:
            text = getattr(error, "verify_message", "") or sockets.name_of_error(error)
            return Answer(verified=False, address=peer, local=local, error=text)
    return Answer(verified=True, address=peer, local=local, status=status)


def _authority(host: str) -> str:
    return "[%s]" % host if ":" in host else host
