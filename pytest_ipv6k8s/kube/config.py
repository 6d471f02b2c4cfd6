"""Reading a kubeconfig, with a clear word for everything that can be wrong with it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from pytest_ipv6k8s.addresses import endpoint
from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.files import read_document, write_whole
from pytest_ipv6k8s.masking import hold_named

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds the token of its ServiceAccount."""

_GIVE = "give --kubeconfig=FILE, to pytest --ipv6k8s-kubeconfig=FILE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubeconfig:
    """A kubeconfig and the context of it that is used.

    ``path`` may be several files, joined by colons as in ``$KUBECONFIG``.
    """

    path: Path
    context: str

    @property
    def kubectl(self) -> str:
        """How to call kubectl for the same cluster."""
        if len(_files(self.path)) > 1:
            return f"KUBECONFIG={self.path} kubectl --context {self.context}"
        return f"kubectl --kubeconfig {self.path} --context {self.context}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A program that gives the credentials of a user; ``hint`` says how it is installed."""

    user: str
    command: str
    hint: str = ""


def find(path: Path | None, environment: Mapping[str, str], folder: Path | None = None) -> Path:
    """Return the kubeconfig to use, as kubectl finds it.

    That is the given one, the files of ``$KUBECONFIG`` that exist, ``~/.kube/config``, and last,
    in a pod, its ServiceAccount.

    Args:
        path: the given one.
        environment: the process's variables.
        folder: where a kubeconfig for the ServiceAccount is written; without, a new one.

    Raises:
        ConfigError: there is none.
    """
    if path is not None:
        return path
    joined = _of_environment(environment)
    given = str(joined).split(os.pathsep) if joined else []
    if joined and any(Path(name).exists() for name in given):
        return joined
    usual = Path.home() / ".kube" / "config"
    if not given and usual.exists():
        return usual
    if environment.get("KUBERNETES_SERVICE_HOST") and (SERVICE_ACCOUNT / "token").exists():
        return _of_service_account(environment, folder or Path(mkdtemp(prefix="ipv6k8s-")))
    if given:
        do = "do" if len(given) > 1 else "does"
        raise ConfigError(
            f"no kubeconfig: of $KUBECONFIG, {' and '.join(given)} {do} not exist",
            remedy=f"correct it, or {_GIVE}",
        )
    raise ConfigError(
        f"no kubeconfig: none is given, nor $KUBECONFIG, {usual} does not exist, and this is no "
        "pod with a ServiceAccount",
        remedy=_GIVE,
    )


def _of_environment(environment: Mapping[str, str]) -> Path | None:
    """Return the files of ``$KUBECONFIG`` as one path; None where there are none."""
    given = [name for name in environment.get("KUBECONFIG", "").split(os.pathsep) if name]
    return Path(os.pathsep.join(given)) if given else None


def _of_service_account(environment: Mapping[str, str], folder: Path) -> Path:
    """Write a kubeconfig that says what a pod knows of its cluster; it holds no secret."""
    import yaml

    host = environment["KUBERNETES_SERVICE_HOST"]
    port = int(environment.get("KUBERNETES_SERVICE_PORT", "443"))
    cluster = {
        "server": f"https://{endpoint(host, port)}",
        "certificate-authority": str(SERVICE_ACCOUNT / "ca.crt"),
    }
    name = "in-cluster"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": {"tokenFile": str(SERVICE_ACCOUNT / "token")}}],
    }
    path = folder / "in-cluster.yaml"
    write_whole(path, yaml.safe_dump(document))
    return path


def read(path: Path, context: str | None = None) -> Kubeconfig:
    """Look into a kubeconfig and settle the context.

    Raises:
        ConfigError: it is missing, unreadable, no kubeconfig, or has no such context.
    """
    contexts, current = _contexts(path)
    wanted = context or current
    if not wanted:
        raise ConfigError(
            f"kubeconfig {path} has no current context",
            remedy=f"name one of its contexts: {', '.join(contexts)}",
        )
    if wanted not in contexts:
        raise ConfigError(
            f"kubeconfig {path} has no context {wanted!r}", remedy=f"it has: {', '.join(contexts)}"
        )
    return Kubeconfig(path=path, context=wanted)


def _files(path: Path) -> list[Path]:
    """Return the files of a kubeconfig; of several, as kubectl has it, some may be missing."""
    files = [Path(name) for name in str(path).split(os.pathsep)]
    return [file for file in files if file.exists()] or files[:1]


def plugin_of(kubeconfig: Kubeconfig) -> Plugin | None:
    """Return the exec plugin of a context's user; None where the user has none.

    Raises:
        ConfigError: a file of the kubeconfig cannot be read.
    """
    context = entry(kubeconfig, "contexts", kubeconfig.context)[0].get("context")
    user = str(context.get("user") or "") if isinstance(context, dict) else ""
    found = entry(kubeconfig, "users", user)[0].get("user")
    plugin = found.get("exec") if isinstance(found, dict) else None
    if not isinstance(plugin, dict):
        return None
    hint = " ".join(str(plugin.get("installHint") or "").split())
    return Plugin(user=user, command=str(plugin.get("command") or ""), hint=hint)


def entry(kubeconfig: Kubeconfig, kind: str, name: str) -> tuple[Mapping[str, Any], Path]:
    """Return the entry of a name, that of the first file that has it, and the file's folder.

    The entry is empty where no file has it.

    Raises:
        ConfigError: a file of the kubeconfig cannot be read.
    """
    documents = _documents(kubeconfig.path)
    for file, document in zip(_files(kubeconfig.path), documents, strict=True):
        listed = document.get(kind)
        for item in listed if isinstance(listed, list) else ():
            if isinstance(item, dict) and item.get("name") == name:
                return item, file.parent
    return {}, Path()


def hold_credentials(path: Path) -> None:
    """Note the credentials of a kubeconfig, so that nobody ever shows them.

    Raises:
        ConfigError: a file of it cannot be read.
    """
    _documents(path)


def _documents(path: Path) -> list[dict[str, Any]]:
    """Read the files of a kubeconfig, and note their credentials."""
    files = _files(path)
    source = "$KUBECONFIG" if path == _of_environment(os.environ) else "the path that was given"
    documents = [read_document(file, what="kubeconfig", source=source) for file in files]
    hold_named(documents)
    return documents


def _contexts(path: Path) -> tuple[list[str], str]:
    """Return the names of all contexts, and the current one.

    The client merges the rest when it loads the files. It lets the last file say which context is
    the current one; kubectl, and we, the first.
    """
    contexts: dict[str, None] = {}
    current = ""
    for document in _documents(path):
        listed = document.get("contexts")
        items = listed if isinstance(listed, list) else []
        names = [item["name"] for item in items if isinstance(item, dict) and "name" in item]
        contexts |= dict.fromkeys(name for name in names if isinstance(name, str))
        current = current or str(document.get("current-context") or "")
    if not contexts:
        raise ConfigError(
            f"kubeconfig {path} has no contexts", remedy="give one that names a cluster and a user"
        )
    return list(contexts), current
