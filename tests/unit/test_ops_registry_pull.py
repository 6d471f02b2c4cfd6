"""Pulling an image, from a little registry on loopback that has the image of the testbed."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from pytest_ipv6k8s import data
from pytest_ipv6k8s.agent.ops import registry_pull
from tests.unit.responders import closed_port

AMPLE = 10.0
PUSH: dict[str, Any] = {"__name__": "push_image"}
exec(data.text("testbed/servers/push_image.py"), PUSH)
MANIFEST, BLOBS = PUSH["image"]()


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


class _Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    block_on_close = True
    pages: dict[str, bytes]
    moved: dict[str, str]


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        body = self.server.pages.get(self.path)
        moved = self.server.moved.get(self.path)
        self.send_response(307 if moved else 404 if body is None else 200)
        if moved:
            self.send_header("Location", moved)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def registry() -> Iterator[_Server]:
    """A registry with the image."""
    with _Server(("::1", 0), _Handler) as server:
        at = "/v2/ipv6k8s/hello"
        server.moved = {}
        server.pages = {f"{at}/blobs/{_digest(blob)}": blob for blob in BLOBS}
        server.pages[f"{at}/manifests/latest"] = MANIFEST
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        with contextlib.ExitStack() as stack:
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            yield server


def _pull(server: _Server, reference: str = "latest") -> registry_pull.Answer:
    url = f"http://[::1]:{server.server_port}"
    request = registry_pull.Request(url, "ipv6k8s/hello", reference, timeout=AMPLE)
    return registry_pull.perform(request)


def test_an_image_is_pulled_and_verified(registry: _Server) -> None:
    answer = _pull(registry)

    assert (answer.status, answer.digest, answer.error) == (200, _digest(MANIFEST), "")
    assert (answer.verified, answer.mismatched, answer.local) == (2, (), "::1")
    assert answer.size == sum(map(len, BLOBS))


def test_an_index_leads_to_the_image(registry: _Server) -> None:
    at = "/v2/ipv6k8s/hello/manifests"
    registry.pages[f"{at}/{_digest(MANIFEST)}"] = MANIFEST
    index = json.dumps({"manifests": [{"digest": _digest(MANIFEST)}]}).encode()
    registry.pages[f"{at}/latest"] = index

    answer = _pull(registry)

    assert (answer.digest, answer.verified, answer.mismatched) == (_digest(index), 3, ())


def test_a_spoilt_blob_is_told(registry: _Server) -> None:
    place = f"/v2/ipv6k8s/hello/blobs/{_digest(BLOBS[1])}"
    registry.pages[place] = b"spoilt"

    answer = _pull(registry)

    assert (answer.status, answer.verified) == (200, 1)
    assert answer.mismatched == (f"{_digest(BLOBS[1])} is {_digest(b'spoilt')}",)


def test_a_blob_may_be_elsewhere(registry: _Server) -> None:
    place = f"/v2/ipv6k8s/hello/blobs/{_digest(BLOBS[1])}"
    registry.moved[place] = "/elsewhere?x=1"
    registry.pages["/elsewhere?x=1"] = registry.pages.pop(place)

    assert _pull(registry).verified == 2


def test_redirections_end(registry: _Server) -> None:
    place = "/v2/ipv6k8s/hello/manifests/latest"
    registry.moved[place] = place

    assert _pull(registry).status == 307


def test_what_is_not_there_is_an_answer(registry: _Server) -> None:
    answer = _pull(registry, "no-such-tag")

    assert (answer.status, answer.verified, answer.error) == (404, 0, "")


@pytest.mark.parametrize("said", [b"no JSON", b"{}", b"[]", b'{"config": 1}'])
def test_what_is_no_manifest_is_an_answer(registry: _Server, said: bytes) -> None:
    registry.pages["/v2/ipv6k8s/hello/manifests/latest"] = said

    answer = _pull(registry)

    assert (answer.status, answer.verified) == (200, 0)
    assert answer.error.startswith("no manifest")


def test_a_registry_that_is_not_there_is_an_answer() -> None:
    request = registry_pull.Request(f"http://[::1]:{closed_port()}", "a/b", timeout=AMPLE)

    answer = registry_pull.perform(request)

    assert (answer.status, answer.error) == (0, "ECONNREFUSED")


def test_a_registry_on_ipv4_only_is_not_used() -> None:
    request = registry_pull.Request("http://127.0.0.1:1", "a/b", timeout=AMPLE)

    assert "no IPv6 address" in registry_pull.perform(request).error
