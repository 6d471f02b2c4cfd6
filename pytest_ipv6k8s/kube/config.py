"""Reading a kubeconfig, with a clear word for everything that can be wrong with it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.files import read_document
from pytest_ipv6k8s.masking import hold_named


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


def find(path: Path | None, environment: Mapping[str, str]) -> Path:
    """Return the kubeconfig to use: the given one, ``$KUBECONFIG``, or ``~/.kube/config``.

    Raises:
        ConfigError: none was given and none is in the usual places.
    """
    if path is not None:
        return path
    given = [name for name in environment.get("KUBECONFIG", "").split(os.pathsep) if name]
    if given:
        return Path(os.pathsep.join(given))
    usual = Path.home() / ".kube" / "config"
    if usual.exists():
        return usual
    raise ConfigError(
        "no kubeconfig: neither --ipv6k8s-kubeconfig nor $KUBECONFIG is given, "
        f"and {usual} does not exist",
        remedy="give --ipv6k8s-kubeconfig FILE",
    )


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
            remedy=f"give --ipv6k8s-context, one of: {', '.join(contexts)}",
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


def hold_credentials(path: Path) -> None:
    """Note the credentials of a kubeconfig, so that nobody ever shows them.

    Raises:
        ConfigError: a file of it cannot be read.
    """
    _documents(path)


def _documents(path: Path) -> list[dict[str, Any]]:
    """Read the files of a kubeconfig, and note their credentials."""
    files = _files(path)
    documents = [
        read_document(file, what="kubeconfig", option="--ipv6k8s-kubeconfig") for file in files
    ]
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
