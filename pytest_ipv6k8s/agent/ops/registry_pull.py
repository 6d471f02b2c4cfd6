"""Pull an image from a registry as a node would, over IPv6: manifest, configuration, layers.

See the OCI distribution specification. Nothing is kept; every digest is verified.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import time
from dataclasses import dataclass
from typing import Any, Dict, Tuple
from urllib.parse import SplitResult, urljoin, urlsplit

from pytest_ipv6k8s.agent import ops, sockets, tls

_IMAGE = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_INDEX = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class Answer:
    """``status`` is that of the last reply, 0 when there was none; ``digest`` the manifest's.

    ``verified`` parts had the digest by which they were asked for, ``mismatched`` ones had not;
    ``size`` is what they weigh. ``local`` is our own address.
    """

    status: int = 0
    digest: str = ""
    verified: int = 0
    mismatched: Tuple[str, ...] = ()
    size: int = 0
    local: str = ""
    error: str = ""


@dataclass(frozen=True)
class Request(ops.Request[Answer]):
    """The registry's URL, a repository and a tag; ``timeout`` in seconds is for everything."""

    awaits_one = True
    url: str
    repository: str
    reference: str = "latest"
    timeout: float = 2 * sockets.BY_NAME


class _Refused(Exception):
    """A reply that is not 200."""


class _Registry:
    """Fetches from one repository; remembers the last status, and our own address."""

    def __init__(self, request: Request) -> None:
        self._base = "%s/v2/%s/" % (request.url.rstrip("/"), request.repository)
        self._deadline = time.monotonic() + request.timeout
        self.status, self.local = 0, ""

    def get(self, path: str, accept: Tuple[str, ...] = ()) -> bytes:
        """Return a body; blobs may be elsewhere, so redirections are followed.

        Raises:
            OSError: there was no reply.
            http.client.HTTPException: it was no HTTP.
            _Refused: it was not 200.
        """
        url = self._base + path
        for _ in range(4):
            response, body = self._fetch(urlsplit(url), ", ".join(accept) or "*/*")
            if self.status not in _REDIRECTS:
                break
            url = urljoin(url, response.getheader("Location", ""))
        if self.status != 200:
            raise _Refused
        return body

    def _fetch(self, url: SplitResult, accept: str) -> "Tuple[http.client.HTTPResponse, bytes]":
        timeout = max(self._deadline - time.monotonic(), 0.01)
        secure, host = url.scheme == "https", url.hostname or ""
        connection = http.client.HTTPConnection(url.netloc, timeout=timeout)
        port = url.port or (443 if secure else 80)
        with sockets.connect_to(host, port, timeout, only_ipv6=True) as sock:
            self.local = self.local or sockets.local_address(sock)
            if secure:
                sock = tls.client_context().wrap_socket(sock, server_hostname=host)
            connection.sock = sock
            path = (url.path or "/") + ("?" + url.query if url.query else "")
            connection.request("GET", path, headers={"Accept": accept, "Connection": "close"})
            response = connection.getresponse()
            self.status = response.status
            return response, response.read()


def perform(request: Request) -> Answer:
    registry = _Registry(request)
    found: Dict[str, Any] = {"digest": "", "verified": 0, "mismatched": [], "size": 0}
    error = ""
    try:
        _pull(registry, request.reference, found)
    except _Refused:
        pass
    except (OSError, http.client.HTTPException) as failure:
        error = sockets.name_of_error(failure)
    except (ValueError, KeyError, TypeError, AttributeError) as failure:
        error = "no manifest: %s" % failure
    mismatched = tuple(found.pop("mismatched"))
    return Answer(
        registry.status, local=registry.local, error=error, mismatched=mismatched, **found
    )


def _pull(registry: _Registry, reference: str, found: "Dict[str, Any]") -> None:
    body = registry.get("manifests/" + reference, _IMAGE + _INDEX)
    found["digest"] = _digest(body)
    manifest = json.loads(body)
    if "manifests" in manifest:
        inner = manifest["manifests"][0]["digest"]
        body = registry.get("manifests/" + inner, _IMAGE)
        _verify(inner, body, found)
        manifest = json.loads(body)
    for wanted in [manifest["config"]["digest"]] + [item["digest"] for item in manifest["layers"]]:
        _verify(wanted, registry.get("blobs/" + wanted), found)


def _digest(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()


def _verify(wanted: str, body: bytes, found: "Dict[str, Any]") -> None:
    found["size"] += len(body)
    if _digest(body) == wanted:
        found["verified"] += 1
    else:
        found["mismatched"].append("%s is %s" % (wanted, _digest(body)))
