"""What unit tests share: a clock nobody waits for, an API server, Hypothesis without deadlines."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import trustme

from pytest_ipv6k8s.kube.client import Api
from tests.unit.api_server import ApiServer, kubeconfig, serving
from tests.unit.clock import Clock

hypothesis.settings.register_profile("unit", deadline=None, database=None)
hypothesis.settings.load_profile("unit")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Time that passes only when somebody sleeps."""
    made = Clock()
    monkeypatch.setattr(time, "monotonic", made.monotonic)
    monkeypatch.setattr(time, "sleep", made.sleep)
    return made


@pytest.fixture(scope="session")
def ca() -> trustme.CA:
    """The authority of the cluster."""
    return trustme.CA()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server(ca: trustme.CA) -> Iterator[ApiServer]:
    """A server whose certificate is in order."""
    with serving(ca.issue_cert("localhost", "::1")) as running:
        yield running


@pytest.fixture
def api(server: ApiServer, ca: trustme.CA, tmp_path: Path) -> Api:
    """A client that trusts the server."""
    return Api(kubeconfig(tmp_path, server.url, ca))
