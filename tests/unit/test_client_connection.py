"""Reaching an API server, or not: certificates, names, and servers that are gone."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

from pytest_ipv6k8s.errors import ConfigError, ControlChannelError, Ipv6k8sError
from pytest_ipv6k8s.kube.client import Api
from pytest_ipv6k8s.kube.config import Kubeconfig
from tests.unit.api_server import TOKEN, ApiServer, Reply, kubeconfig, serving

NODES = "/api/v1/nodes"


def test_a_server_that_hangs_up_is_trouble_of_the_channel(api: Api, server: ApiServer) -> None:
    server.replies = [Reply(body=None)]

    with pytest.raises(ControlChannelError) as caught:
        api.get(NODES)

    said = str(caught.value)
    assert f"API server {server.url} cannot be reached" in said
    assert "object at 0x" not in said
    assert TOKEN not in said


def test_a_server_that_is_gone_is_named_with_a_remedy(tmp_path: Path, ca: trustme.CA) -> None:
    with serving(ca.issue_cert("::1")) as server:
        url = server.url

    with pytest.raises(ControlChannelError) as caught:
        Api(kubeconfig(tmp_path, url, ca)).get(NODES)

    said = str(caught.value)
    assert f"API server {url} cannot be reached: connection refused. " in said
    assert "route to ::1 and that the server runs" in said
    assert TOKEN not in said


def test_a_proxy_that_is_gone_is_named_with_its_address(
    tmp_path: Path, ca: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")

    with pytest.raises(ControlChannelError) as caught:
        Api(kubeconfig(tmp_path, "https://[2001:db8::1]:443", ca)).get(NODES)

    said = str(caught.value)
    assert said.startswith("the proxy before API server https://[2001:db8::1]:443 cannot be used: ")
    assert "127.0.0.1:9: connection refused. Check HTTPS_PROXY" in said


YESTERDAY = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)


@pytest.mark.parametrize(
    ("certificate", "words"),
    [
        (lambda ca: ca.issue_cert("::1", not_after=YESTERDAY), "expired"),
        (lambda ca: trustme.CA().issue_cert("::1"), "certificate verify failed"),
        (lambda ca: ca.issue_cert("::2", "other.example"), "mismatch"),
    ],
    ids=["expired", "foreign", "other-name"],
)
def test_a_certificate_that_does_not_verify_is_told(
    tmp_path: Path, ca: trustme.CA, certificate: Any, words: str
) -> None:
    with serving(certificate(ca)) as server:
        server.replies = [Reply()]
        with pytest.raises(ControlChannelError) as caught:
            Api(kubeconfig(tmp_path, server.url, ca)).get(NODES)

    said = str(caught.value)
    assert "has a certificate that does not verify" in said
    assert words in said
    assert "tls-server-name" in said
    assert server.asked == []
    assert TOKEN not in said


def test_another_name_is_fine_when_the_kubeconfig_says_so(tmp_path: Path, ca: trustme.CA) -> None:
    with serving(ca.issue_cert("other.example")) as server:
        server.replies = [Reply(body={"ok": True})]
        found = kubeconfig(tmp_path, server.url, ca, **{"tls-server-name": "other.example"})

        assert Api(found).get("/version") == {"ok": True}


def _with_user(found: Kubeconfig, user: object) -> Kubeconfig:
    document = yaml.safe_load(found.path.read_text())
    document["users"][0]["user"] = user
    found.path.write_text(yaml.safe_dump(document))
    return found


@pytest.mark.parametrize("user", [{"client-key": "/none"}, 5])
def test_a_kubeconfig_that_cannot_be_used_is_named(
    tmp_path: Path, ca: trustme.CA, user: object
) -> None:
    found = _with_user(kubeconfig(tmp_path, "https://[::1]:9", ca), user)

    with pytest.raises(ConfigError, match="context 'one': user 'u'"):
        Api(found)


def test_a_client_certificate_that_is_none_is_named(
    server: ApiServer, tmp_path: Path, ca: trustme.CA
) -> None:
    junk = {"client-certificate-data": "anVuaw==", "client-key-data": "anVuaw=="}
    found = _with_user(kubeconfig(tmp_path, server.url, ca), junk)

    with pytest.raises(Ipv6k8sError, match="certificate"):
        Api(found).get(NODES)
