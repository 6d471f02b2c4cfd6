"""Credentials of kubeconfigs: read as kubectl reads them, and never shown or sent elsewhere."""

from __future__ import annotations

import base64
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

from pytest_ipv6k8s.errors import ConfigError, ControlChannelError
from pytest_ipv6k8s.external import declaration
from pytest_ipv6k8s.kube import config
from pytest_ipv6k8s.kube.client import Api
from pytest_ipv6k8s.kube.config import Kubeconfig
from pytest_ipv6k8s.kube.exec import ExecStream
from pytest_ipv6k8s.masking import REDACTED, masked
from tests.unit.api_server import ApiServer, Reply, kubeconfig, serving

SECRET = "s3cret-that-nobody-sees"
OTHER = "0ther-secret-of-the-same"


def _changed(found: Kubeconfig, change: Callable[[dict[str, Any]], None]) -> Kubeconfig:
    document = yaml.safe_load(found.path.read_text())
    change(document)
    found.path.write_text(yaml.safe_dump(document))
    return found


def _user(user: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        document["users"][0]["user"] = user

    return change


def _token_file(folder: Path, text: str) -> dict[str, str]:
    (folder / "token").write_text(text)
    return {"tokenFile": str(folder / "token")}


@pytest.mark.parametrize("end", ["", "\n", " \n", "\r\n"])
@pytest.mark.parametrize("in_file", [False, True])
def test_white_space_at_the_end_of_a_token_does_not_count(
    tmp_path: Path, server: ApiServer, ca: trustme.CA, end: str, *, in_file: bool
) -> None:
    token = f"{SECRET}{end}"
    user = _token_file(tmp_path, token) if in_file else {"token": token}
    server.replies = [Reply()]

    Api(_changed(kubeconfig(tmp_path, server.url, ca), _user(user))).get("/version")

    assert server.asked[0].headers["authorization"] == f"Bearer {SECRET}"
    assert masked(f"<{SECRET}>") == f"<{REDACTED}>"


def _token_beside_user(document: dict[str, Any]) -> None:
    document["users"][0] = {"name": "u", "token": SECRET, "client-key-data": OTHER}


def _server_beside_cluster(document: dict[str, Any]) -> None:
    document["clusters"][0] = {
        "name": "c",
        "server": f"https://me:{SECRET}@[::1]:9",
        "proxy-url": f"http://me:{OTHER}@[::1]:9",
    }


def _not_a_list(document: dict[str, Any]) -> None:
    document["users"] = {"name": "u", "user": {"token": SECRET, "password": OTHER}}


BAD = {
    "entry indented wrongly": _token_beside_user,
    "cluster indented wrongly": _server_beside_cluster,
    "users are no list": _not_a_list,
    "user is a text": _user(f"token={SECRET} password={OTHER}"),
    "oidc without id-token": _user(
        {
            "auth-provider": {
                "name": "oidc",
                "config": {"client-secret": SECRET, "refresh-token": OTHER},
            }
        }
    ),
    "token of two lines": _user({"token": f"{SECRET}\n{OTHER}"}),
    "token with letters that no header has": _user({"token": f"{SECRET}é {OTHER}"}),
    "key that is none": _user({"client-certificate-data": "anVuaw==", "client-key-data": SECRET}),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_with_a_kubeconfig_is_said_without_quoting_it(
    tmp_path: Path, ca: trustme.CA, case: str
) -> None:
    found = _changed(kubeconfig(tmp_path, "https://[::1]:9", ca), BAD[case])

    with pytest.raises(ConfigError) as caught:
        Api(config.read(found.path)).headers()

    said = str(caught.value) + "".join(traceback.format_exception_only(caught.value))
    assert "kubeconfig" in said
    for secret in (SECRET, OTHER, SECRET[:16], base64.b64encode(SECRET.encode()).decode()):
        assert secret not in said


def _plugin(folder: Path, script: str) -> str:
    program = folder / "plugin"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)


PLUGINS = {
    "missing": ("no-such-plugin", "no-such-plugin of user u is not on PATH. Get it from example."),
    "missing, by path": ("/no/such/plugin", "gave no credentials: [Errno 2] No such file"),
    "failing": ("echo log in >&2; exit 3", "gave no credentials: exec: process returned 3. log in"),
    "talking": (f"echo token={SECRET}", "gave no credentials: exec: failed to decode"),
    "of another version": (
        'echo \'{"apiVersion": "x", "kind": "y", "status": {}}\'',
        "api version",
    ),
}


@pytest.mark.parametrize("case", PLUGINS)
def test_a_credential_plugin_that_gives_nothing_is_named(
    tmp_path: Path, ca: trustme.CA, case: str
) -> None:
    command, words = PLUGINS[case]
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": command if "missing" in case else _plugin(tmp_path, command),
        "installHint": "Get it from\n  example.",
    }
    found = _changed(kubeconfig(tmp_path, "https://[::1]:9", ca), _user({"exec": plugin}))

    with pytest.raises(ConfigError) as caught:
        Api(config.read(found.path))

    assert words in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_password_in_the_servers_url_is_not_told(tmp_path: Path, ca: trustme.CA) -> None:
    found = kubeconfig(tmp_path, f"https://me:{SECRET}@[::1]:9", ca)

    with pytest.raises(ControlChannelError) as caught:
        Api(found).get("/version")

    assert f"API server https://me:{REDACTED}@[::1]:9 cannot be reached" in str(caught.value)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_a_redirect_of_exec_is_not_followed(
    api: Api, server: ApiServer, ca: trustme.CA, code: int, scheme: str
) -> None:
    with serving(ca.issue_cert("::1")) as elsewhere:
        elsewhere.replies = [Reply()]
        location = elsewhere.url.replace("https", scheme)
        server.replies = [Reply(code=code, headers={"Location": location})]

        with pytest.raises(ControlChannelError, match="exec into pod n/p"):
            ExecStream(api, namespace="n", pod="p", container="c", command=("x",))

        assert elsewhere.asked == []
    assert len(server.asked) == 1


@pytest.mark.parametrize("key", ["proxy", "registry"])
def test_a_password_in_a_declaration_is_refused_and_not_told(tmp_path: Path, key: str) -> None:
    path = tmp_path / "ipv6k8s.yaml"
    lines = (
        "apiVersion: ipv6k8s.io/v1alpha1",
        "kind: ClusterDeclaration",
        f"{key}: http://me:{SECRET}@[2001:db8::1]:3128",
    )
    path.write_text("\n".join(lines))

    with pytest.raises(ConfigError) as caught:
        declaration.read(path)

    assert f"{key}: " in str(caught.value)
    assert "password" in str(caught.value)
    assert SECRET not in str(caught.value)
