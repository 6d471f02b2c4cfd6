"""Connections to the API server: TLS, proxies, and answers that have an end."""

from __future__ import annotations

import functools
import ssl
import time
from dataclasses import dataclass
from typing import Any

from pytest_ipv6k8s.agent import tls
from pytest_ipv6k8s.errors import ConfigError, ControlChannelError

_LONGEST_RETRY_AFTER, _AWAY = 10.0, (502, 503, 504)
_LARGEST, _PIECE = 128 * 2**20, 64 * 2**10


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """An answer that has come to its end."""

    status: int
    data: bytes


def whole(response: Any, *, within: float) -> Whole:
    """Read an answer to its end.

    Args:
        response: of urllib3, with nothing read.
        within: seconds; a server that sends a little now and then would never time out.

    Raises:
        ControlChannelError: it takes longer, or is larger than any list of Kubernetes.
    """
    ends, data = time.monotonic() + within, bytearray()
    for piece in response.stream(_PIECE):
        data += piece
        if time.monotonic() > ends or len(data) > _LARGEST:
            response.close()
            raise ControlChannelError(
                f"the API server sent {len(data)} bytes and no end",
                remedy="look whether something stands before it that keeps answers back",
            )
    response.release_conn()
    return Whole(status=response.status, data=bytes(data))


@functools.cache
def retries() -> Any:
    """Return who is asked again, twice: a server that is busy, and for what is only read one that
    has just stopped, is starting, or stands behind a proxy that does not find it.
    """
    import urllib3

    class Bounded(urllib3.Retry):
        """Waits as long as the server wants, or else a second; urllib3 bounds it since 2.6 only."""

        def get_retry_after(self, response: urllib3.BaseHTTPResponse) -> float:
            return min(super().get_retry_after(response) or 1.0, _LONGEST_RETRY_AFTER)

        def is_retry(self, method: str, status_code: int, *header: bool) -> bool:
            away = method == "GET" and status_code in _AWAY and bool(self.total)
            return away or super().is_retry(method, status_code, *header)

    return Bounded(
        total=2,
        connect=0,
        read=0,
        redirect=0,
        other=0,
        allowed_methods=None,
        status_forcelist=[429],
        raise_on_status=False,
    )


def pool_of(configuration: Any) -> Any:
    """Return the official client's connections, with our idea of TLS in place of urllib3's.

    Raises:
        ConfigError: a certificate or a proxy cannot be used.
    """
    from kubernetes.client.rest import RESTClientObject
    from urllib3.exceptions import HTTPError

    configuration.connection_pool_maxsize = 16
    try:
        pool = RESTClientObject(configuration).pool_manager
    except (HTTPError, ImportError) as error:  # ImportError: no package for SOCKS
        raise ConfigError(
            f"the proxy before API server {configuration.host} cannot be used: {_short(error)}",
            remedy="check HTTPS_PROXY and proxy-url; SOCKS needs the Python package PySocks",
        ) from None
    for name in ("ca_certs", "ca_cert_data", "cert_file", "key_file"):
        pool.connection_pool_kw.pop(name, None)
    pool.connection_pool_kw["ssl_context"] = _tls_context(configuration)
    return pool


def _tls_context(configuration: Any) -> ssl.SSLContext:
    try:
        context = tls.client_context(configuration.ssl_ca_cert)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"the kubeconfig's certificate authority cannot be used: {_short(error)}",
            remedy="check certificate-authority and certificate-authority-data",
        ) from None
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if configuration.cert_file:
        try:
            context.load_cert_chain(configuration.cert_file, configuration.key_file)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"our client certificate or key cannot be used: {_short(error)}",
                remedy="check client-certificate-data and client-key-data in the kubeconfig",
            ) from None
    return context


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200].strip("()'\" ")
