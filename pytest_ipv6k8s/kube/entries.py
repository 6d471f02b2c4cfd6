"""What the entries of a kubeconfig's context have to be; looked at before a client reads them.

The client tells of a wrong one in Python's words, or of a server that does not answer. No value is
quoted, for it may be a secret.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.files import read_bytes
from pytest_ipv6k8s.kube import config
from pytest_ipv6k8s.kube.config import Kubeconfig

_MAP, _TEXT, _BOOLEAN, _URL, _PROXY, _FILE = (
    "a map",
    "a text",
    "true or false",
    "URL",
    "proxy",
    "file",
)
_KINDS: dict[str, dict[str, str]] = {
    "cluster": {
        "server": _URL,
        "proxy-url": _PROXY,
        "tls-server-name": _TEXT,
        "certificate-authority": _FILE,
        "certificate-authority-data": _TEXT,
        "insecure-skip-tls-verify": _BOOLEAN,
    },
    "user": {
        "token": _TEXT,
        "tokenFile": _FILE,
        "client-certificate": _FILE,
        "client-certificate-data": _TEXT,
        "client-key": _FILE,
        "client-key-data": _TEXT,
        "username": _TEXT,
        "password": _TEXT,
        "exec": _MAP,
        "auth-provider": _MAP,
    },
}
_TYPES: dict[str, type] = {_MAP: dict, _BOOLEAN: bool}
_SCHEMES = {_URL: ("https", "http"), _PROXY: ("http", "https", "socks5", "socks5h")}
_LONGEST, _LABEL, _LARGEST = 2000, 63, 2**20


def refuse_wrong(kubeconfig: Kubeconfig) -> None:
    """Refuse a context whose cluster or user cannot be what it is.

    Raises:
        ConfigError: that is so; names the entry and the key.
    """
    for problem in _problems(kubeconfig):
        raise ConfigError(
            f"kubeconfig {kubeconfig.path}, context {kubeconfig.context!r}: {problem}",
            remedy="correct its entry",
        )


def _problems(kubeconfig: Kubeconfig) -> Iterator[str]:
    entry, _ = config.entry(kubeconfig, "contexts", kubeconfig.context)
    context = entry.get("context")
    if not isinstance(context, dict):
        yield "it has no map `context` with its cluster and user"
        return
    for kind in _KINDS:
        yield from _problems_of(kubeconfig, kind, context.get(kind))


def _problems_of(kubeconfig: Kubeconfig, kind: str, name: Any) -> Iterator[str]:
    if name in (None, "") and kind == "user":  # whoever asks is system:anonymous
        return
    if not isinstance(name, str) or not name:
        yield f"it names no {kind}"
        return
    entry, folder = config.entry(kubeconfig, f"{kind}s", name)
    if not entry:
        yield f"there is no {kind} {name!r} in a list `{kind}s`"
        return
    found = entry.get(kind)
    if not isinstance(found, dict):
        yield f"{kind} {name!r} has no map `{kind}`"
        return
    if kind == "cluster" and "server" not in found:
        yield f"{kind} {name!r} has no `server`"
    for key, wanted in _KINDS[kind].items():
        problem = _problem(found[key], wanted, folder) if key in found else ""
        if problem:
            yield f"{kind} {name!r}: `{key}` {problem}"
    yield from (f"{kind} {name!r}: {problem}" for problem in _plugin_problems(found))


def _problem(value: Any, wanted: str, folder: Path) -> str:
    kind = _TYPES.get(wanted, str)
    if not isinstance(value, kind):
        return f"is not {wanted if wanted in _TYPES else _TEXT}"
    if not isinstance(value, str):
        return ""
    if wanted == _URL or (wanted == _PROXY and value):
        return _url_problem(value, _SCHEMES[wanted])
    if wanted == _FILE and value:
        try:
            read_bytes(folder / value, name="names a file that", check="", largest=_LARGEST)
        except ConfigError as error:
            return error.problem
    return ""


def _url_problem(value: str, schemes: tuple[str, ...]) -> str:
    if not value.isprintable() or " " in value or len(value) > _LONGEST:
        return "is no URL: it has spaces or other characters of no URL, or is too long"
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return "is no URL: check its port, and the brackets around an IPv6 address"
    if parts.scheme not in schemes:
        return f"does not begin with {' or '.join(f'{scheme}://' for scheme in schemes[:2])}"
    labels = (parts.hostname or "").removesuffix(".").split(".")
    if port == 0 or not all(0 < len(label) <= _LABEL for label in labels):
        return "is no URL: it has no host, or no port"
    return ""


def _plugin_problems(user: Mapping[str, Any]) -> Iterator[str]:
    plugin = user.get("exec")
    if plugin is None:
        return
    if not plugin.get("command") or not isinstance(plugin["command"], str):
        yield "`exec` has no `command`"
    arguments, variables = plugin.get("args") or [], plugin.get("env") or []
    if not (isinstance(arguments, list) and all(isinstance(one, str) for one in arguments)):
        yield "`exec.args` is no list of texts"
    pairs = isinstance(variables, list) and all(
        isinstance(one, dict) and isinstance(one.get("name"), str) and "value" in one
        for one in variables
    )
    if not pairs:
        yield "`exec.env` is no list of names and values"
