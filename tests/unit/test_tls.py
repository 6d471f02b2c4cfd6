"""Certificates of clusters, as Python 3.13 and later would see them: what passes, what does not."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from pytest_ipv6k8s.agent.ops import https_get
from pytest_ipv6k8s.errors import ConfigError, ControlChannelError
from pytest_ipv6k8s.kube.client import Api
from pytest_ipv6k8s.kube.config import Kubeconfig
from tests.certificates import Signed, plain
from tests.unit.api_server import Reply, kubeconfig, serving

Case = Callable[[Path], tuple[Signed, Path]]


@pytest.fixture(autouse=True)
def _strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this Python's default context the one of 3.13."""
    create = ssl.create_default_context

    def stricter(*arguments: Any, **more: Any) -> ssl.SSLContext:
        context = create(*arguments, **more)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", stricter)


def _without_key_identifiers(folder: Path) -> tuple[Signed, Path]:
    ca = plain(folder, "kubernetes")
    return plain(folder, "kube-apiserver", issuer=ca, addresses=("::1",)), ca.write()[0]


def _trusted_though_no_root(folder: Path) -> tuple[Signed, Path]:
    middle = plain(folder, "kubernetes", issuer=plain(folder, "of the company"))
    return plain(folder, "kube-apiserver", issuer=middle, addresses=("::1",)), middle.write()[0]


def _other_address(folder: Path) -> tuple[Signed, Path]:
    ca = plain(folder, "kubernetes")
    return plain(folder, "kube-apiserver", issuer=ca, addresses=("10.96.0.1",)), ca.write()[0]


def _only_a_common_name(folder: Path) -> tuple[Signed, Path]:
    ca = plain(folder, "kubernetes")
    return plain(folder, "localhost", issuer=ca), ca.write()[0]


def _foreign(folder: Path) -> tuple[Signed, Path]:
    ca, other = plain(folder, "kubernetes"), plain(folder, "kubernetes")
    return plain(folder, "kube-apiserver", issuer=other, addresses=("::1",)), ca.write()[0]


GOOD = pytest.mark.parametrize("case", [_without_key_identifiers, _trusted_though_no_root])
BAD = pytest.mark.parametrize(
    ("case", "name", "words"),
    [
        (_other_address, "::1", "IP address mismatch"),
        (_only_a_common_name, "localhost", "Hostname mismatch"),
        (_foreign, "::1", "unable to get local issuer|signature failure|self.signed"),
    ],
)


def _from_a_pod(case: Case, folder: Path, *, name: str = "::1") -> https_get.Answer:
    certificate, ca_file = case(folder)
    with serving(certificate) as server:
        server.replies = [Reply(code=403)]
        port = server.server_address[1]
        request = https_get.Request("::1", port, name, "/version", str(ca_file))
        answer = https_get.perform(request)
        if answer.verified:
            assert server.asked[0].headers["Host"] == f"[{name}]"
    return answer


def _kubeconfig(folder: Path, url: str, ca_file: Path, **more: Any) -> Kubeconfig:
    found = kubeconfig(folder, url, trustme.CA(), **more)
    (folder / "ca.crt").write_bytes(ca_file.read_bytes())
    return found


@GOOD
def test_a_probe_takes_what_clients_in_a_cluster_take(case: Case, tmp_path: Path) -> None:
    answer = _from_a_pod(case, tmp_path)

    assert (answer.verified, answer.status, answer.error) == (True, 403, "")


@BAD
def test_a_probe_still_verifies(case: Case, name: str, words: str, tmp_path: Path) -> None:
    answer = _from_a_pod(case, tmp_path, name=name)

    assert not answer.verified
    assert re.search(words, answer.error)


@GOOD
def test_the_runner_takes_what_kubectl_takes(case: Case, tmp_path: Path) -> None:
    certificate, ca_file = case(tmp_path)
    with serving(certificate) as server:
        server.replies = [Reply(body={"ok": True})]

        assert Api(_kubeconfig(tmp_path, server.url, ca_file)).get("/version") == {"ok": True}


@BAD
def test_the_runner_still_verifies(case: Case, name: str, words: str, tmp_path: Path) -> None:
    certificate, ca_file = case(tmp_path)
    with serving(certificate) as server:
        found = _kubeconfig(tmp_path, server.url, ca_file, **{"tls-server-name": name})
        with pytest.raises(ControlChannelError, match=words):
            Api(found).get("/version")


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_kubeconfig_may_say_that_nothing_is_verified(tmp_path: Path) -> None:
    certificate, ca_file = _foreign(tmp_path)
    with serving(certificate) as server:
        server.replies = [Reply(body={"ok": True})]
        found = _kubeconfig(tmp_path, server.url, ca_file, **{"insecure-skip-tls-verify": True})

        assert Api(found).get("/version") == {"ok": True}


def test_an_authority_that_is_none_is_told_at_once(tmp_path: Path) -> None:
    found = kubeconfig(tmp_path, "https://[::1]:9", trustme.CA())
    (tmp_path / "ca.crt").write_text("junk")

    with pytest.raises(ConfigError, match="certificate authority cannot be used"):
        Api(found)
