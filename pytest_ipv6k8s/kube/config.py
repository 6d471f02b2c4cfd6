"""Reading a kubeconfig, with a clear word for everything that can be wrong with it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_ipv6k8s.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubeconfig:
    """A kubeconfig file and the context of it that is used."""

    path: Path
    context: str

    @property
    def kubectl(self) -> str:
        """How to call kubectl for the same cluster."""
        return f"kubectl --kubeconfig {self.path} --context {self.context}"


def find(path: Path | None, environment: Mapping[str, str]) -> Path:
    """Return the kubeconfig to use: the given one, ``$KUBECONFIG``, or ``~/.kube/config``.

    Raises:
        ConfigError: none was given and none is in the usual places.
    """
    if path is not None:
        return path
    for candidate in environment.get("KUBECONFIG", "").split(os.pathsep):
        if candidate:
            return Path(candidate)
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


def _contexts(path: Path) -> tuple[list[str], str]:
    document = _document(path)
    listed = document.get("contexts")
    items = listed if isinstance(listed, list) else []
    contexts = [item["name"] for item in items if isinstance(item, dict) and "name" in item]
    contexts = [name for name in contexts if isinstance(name, str)]
    if not contexts:
        raise ConfigError(
            f"kubeconfig {path} has no contexts", remedy="give one that names a cluster and a user"
        )
    return contexts, str(document.get("current-context") or "")


def _document(path: Path) -> dict[str, Any]:
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"kubeconfig {path} does not exist", remedy="check --ipv6k8s-kubeconfig"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigError(
            f"kubeconfig {path} cannot be read: {reason}", remedy="check the file and its mode"
        ) from None
    except yaml.YAMLError:
        raise ConfigError(f"kubeconfig {path} is not YAML", remedy="check the file") from None
    if not isinstance(document, dict):
        raise ConfigError(f"kubeconfig {path} is no kubeconfig", remedy="check the file")
    return document
