"""Kubeconfigs that are well-formed and hold what cannot be: exit 4, one sentence, no secret."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.plugin.test_bad_files import (
    KUBECONFIG,
    NO_FILE,
    NO_TEXT,
    PYTEST,
    SECRET,
    Taker,
    assert_refused,
    called,
)
from tests.prepared import Prepared

Change = Callable[[dict[str, Any], Path], object]
CA = trustme.CA()
OTHER = trustme.CA().issue_cert("x")
JUNK = base64.b64encode(b"junk").decode()
AWFUL: tuple[Any, ...] = (None, 5, -1.5, True, "", "\x1b[31m", [], [1], {}, {"a": 1})
"""Values of other types than a text that means something."""


@pytest.fixture(scope="module")
def prepared() -> Iterator[Prepared]:
    """A process that is forked for each row."""
    made = Prepared()
    yield made
    made.close()


def _set(*place: str | int, to: Any) -> Change:
    def change(document: dict[str, Any], folder: Path) -> None:
        inner: Any = document
        for part in place[:-1]:
            inner = inner[part]
        inner[place[-1]] = to

    return change


def _named(where: tuple[str | int, ...], kind: str) -> Change:
    """Name a file of a bad kind in a kubeconfig."""

    def change(document: dict[str, Any], folder: Path) -> None:
        (NO_FILE | NO_TEXT)[kind](folder / "named")
        document["users"][0]["user"] = {}
        _set(*where, to=str(folder / "named"))(document, folder)

    return change


def _plugin(script: str) -> Change:
    def change(document: dict[str, Any], folder: Path) -> None:
        (folder / "plugin").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "plugin").chmod(0o755)
        plugin = {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": str(folder / "plugin"),
        }
        _set(*USER, to={"exec": plugin})(document, folder)

    return change


CLUSTER, USER = ("clusters", 0, "cluster"), ("users", 0, "user")
SERVERS = {
    "no scheme": "example:6443",
    "another scheme": "ftp://example",
    "no host": "https://",
    "no brackets": "https://fd00::1:6443",
    "half a bracket": "https://[::1:6443",
    "no address in brackets": "https://[zz::1]:6443",
    "a port above all": "https://[::1]:99999",
    "a port that is none": "https://[::1]:port",
    "a negative port": "https://[::1]:-1",
    "a space": "https://exa mple:6443",
    "a new line": "https://example\n:6443",
    "a control character": "https://example\x7f:6443",
    "a socket": "unix:///run/api.sock",
    "a long name": f"https://{'a' * 300}:6443",
    "a very long one": f"https://[::1]:9/{'a' * 100_000}",
    "letters of no name": "https://müller..example:6443",
}
PROXIES = {
    "socks": "socks5://[::1]:9",
    "no scheme": "nonsense",
    "no host": "http://",
    "half a bracket": "http://[::1",
    "another scheme": "ftp://[::1]:9",
    "a port that is none": "http://[::1]:port",
}
FILES = {
    "tokenFile": (*USER, "tokenFile"),
    "client-certificate": (*USER, "client-certificate"),
    "client-key": (*USER, "client-key"),
    "certificate-authority": (*CLUSTER, "certificate-authority"),
}
ODD_FILES = (
    "missing",
    "folder",
    "link to itself",
    "FIFO",
    "socket",
    "endless device",
    "random device",
    "empty device",
    "no right to read",
    "50 MB of nothing",
    "binary",
    "UTF-16",
    "NUL",
)
OF_PLUGIN = '"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential"'
PLUGINS = {
    "says nothing": "exit 0",
    "fails": f"echo token={SECRET} >&2; exit 3",
    "is killed": "kill -9 $$",
    "says no JSON": f"echo {SECRET}",
    "says a list": "echo '[]'",
    "says half": 'echo \'{"apiVersion": "client.authentication.k8s.io/v1", "kind":\'',
    "says another version": 'echo \'{"apiVersion": "x/v9", "kind": "y", "status": {}}\'',
    "says no status": f"echo '{{{OF_PLUGIN}}}'",
    "says a status that is a list": f"echo '{{{OF_PLUGIN}, \"status\": []}}'",
    "says bytes": r"printf '\377\376'",
    "is no program": "#!/no/such/shell",
}
KUBECONFIGS: dict[str, Change] = {
    **{f"user is {value!r}": _set(*USER, to=value) for value in (*AWFUL, f"token={SECRET}")},
    **{f"cluster is {value!r}": _set(*CLUSTER, to=value) for value in AWFUL},
    **{f"context is {value!r}": _set("contexts", 0, "context", to=value) for value in AWFUL},
    **{f"users are {value!r}": _set("users", to=value) for value in AWFUL},
    **{f"clusters are {value!r}": _set("clusters", to=value) for value in AWFUL},
    **{f"contexts are {value!r}": _set("contexts", to=value) for value in AWFUL},
    **{f"server is {value!r}": _set(*CLUSTER, "server", to=value) for value in AWFUL},
    **{f"token is {value!r}": _set(*USER, "token", to=value) for value in AWFUL},
    **{f"exec is {value!r}": _set(*USER, to={"exec": value}) for value in AWFUL},
    **{
        f"{key} of a plugin is {value!r}": _set(*USER, to={"exec": {"command": "x", key: value}})
        for key in ("command", "args", "env")
        for value in AWFUL
        if value or key == "command"
    },
    **{f"proxy-url is {value!r}": _set(*CLUSTER, "proxy-url", to=value) for value in AWFUL},
    **{f"current context is {value!r}": _set("current-context", to=value) for value in AWFUL},
    **{f"server has {name}": _set(*CLUSTER, "server", to=url) for name, url in SERVERS.items()},
    **{f"proxy has {name}": _set(*CLUSTER, "proxy-url", to=url) for name, url in PROXIES.items()},
    **{
        f"{key} is {kind}": _named(where, kind)
        for key, where in FILES.items()
        for kind in ODD_FILES
        if (key, kind) != ("certificate-authority", "empty device")
    },
    **{f"plugin {name}": _plugin(script) for name, script in PLUGINS.items()},
    "a token of two lines": _set(*USER, "token", to=f"{SECRET}\nb"),
    "a token with other letters": _set(*USER, "token", to=f"{SECRET}é"),
    "CA is no base64": _set(*CLUSTER, "certificate-authority-data", to="%%%"),
    "CA is junk": _set(*CLUSTER, "certificate-authority-data", to=JUNK),
    "CA is a number": _set(*CLUSTER, "certificate-authority-data", to=5),
    "certificate is junk": _set(
        *USER, to={"client-certificate-data": JUNK, "client-key-data": JUNK}
    ),
    "key of another certificate": _set(
        *USER,
        to={
            "client-certificate-data": base64.b64encode(
                CA.issue_cert("x").cert_chain_pems[0].bytes()
            ).decode(),
            "client-key-data": base64.b64encode(OTHER.private_key_pem.bytes()).decode(),
        },
    ),
    "auth-provider gcp": _set(*USER, to={"auth-provider": {"name": "gcp", "config": {}}}),
    "auth-provider oidc": _set(
        *USER, to={"auth-provider": {"name": "oidc", "config": {"client-secret": SECRET}}}
    ),
    "auth-provider of no name": _set(*USER, to={"auth-provider": {}}),
    "a user of no such name": _set("contexts", 0, "context", "user", to="nobody"),
    "a cluster of no such name": _set("contexts", 0, "context", "cluster", to="none"),
    "a name that is a list": _set("users", 0, "name", to=["u"]),
}
OF_KUBECONFIG = {
    "--ipv6k8s-kubeconfig": Taker(words=(*PYTEST, "--ipv6k8s-kubeconfig=FILE")),
    "init": Taker(words=("ipv6k8s", "init", "--kubeconfig=FILE")),
}


ROWS = [(case, "init") for case in KUBECONFIGS]
ROWS += [(case, "--ipv6k8s-kubeconfig") for case in list(KUBECONFIGS)[::3]]


@pytest.mark.parametrize(("case", "taker"), ROWS)
def test_a_kubeconfig(prepared: Prepared, tmp_path: Path, case: str, taker: str) -> None:
    import yaml

    document = yaml.safe_load(KUBECONFIG)
    KUBECONFIGS[case](document, tmp_path)
    (tmp_path / "FILE").write_text(json.dumps(document))

    assert_refused(called(prepared, OF_KUBECONFIG[taker], tmp_path))
