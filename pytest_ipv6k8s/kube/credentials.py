"""Who we are to an API server: the official client's reading of a kubeconfig, and what not to show.

What it quotes in its errors may be a credential, so an error says the entry and no more.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.kube import config, entries
from pytest_ipv6k8s.kube.config import Kubeconfig
from pytest_ipv6k8s.masking import hold, redact_text

_BEARER = "Bearer "
_LONGEST = 200


def load(kubeconfig: Kubeconfig) -> Any:
    """Return the configuration of the official client, with all its credentials noted.

    Raises:
        ConfigError: the kubeconfig cannot be used.
    """
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException, load_kube_config

    config.hold_credentials(kubeconfig.path)
    entries.refuse_wrong(kubeconfig)
    configuration = Configuration()
    try:
        with _logged() as said:
            load_kube_config(
                str(kubeconfig.path), context=kubeconfig.context, client_configuration=configuration
            )
    except (ConfigException, ValueError, TypeError, LookupError, AttributeError, OSError) as error:
        raise ConfigError(
            f"kubeconfig {kubeconfig.path}, context {kubeconfig.context!r} cannot be used: "
            f"{_unquoted(error)}",
            remedy="check its cluster and user entries",
        ) from None
    if not (bearer_header(configuration) or configuration.cert_file):
        _refuse_plugin(kubeconfig, said)
    if configuration.key_file:
        with contextlib.suppress(OSError):
            hold(Path(configuration.key_file).read_bytes())
    return configuration


@contextlib.contextmanager
def _logged() -> Iterator[list[str]]:
    """Collect what is logged meanwhile: the client tells there, only, why a plugin failed."""
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield said
    finally:
        root.removeHandler(handler)


def _refuse_plugin(kubeconfig: Kubeconfig, said: list[str]) -> None:
    """Refuse a user whose exec plugin gave no credentials: else we would be system:anonymous.

    Raises:
        ConfigError: that is so; names the plugin.
    """
    plugin = config.plugin_of(kubeconfig)
    if plugin is None:
        return
    who = f"credential plugin {plugin.command} of user {plugin.user}"
    if "/" not in plugin.command and shutil.which(plugin.command) is None:
        hint = redact_text(plugin.hint)[:_LONGEST].rstrip(".")
        raise ConfigError(f"{who} is not on PATH", remedy=hint or "install it")
    why = _one_line(" ".join(said[-1:])) or "it said nothing"
    raise ConfigError(
        f"{who} gave no credentials: {why}",
        remedy=f"log in again; `{kubeconfig.kubectl} get nodes` has the same trouble",
    )


def bearer_header(configuration: Any) -> dict[str, str]:
    """Return the header that says who we are; empty with a client certificate.

    A new line at the token's end does not count, as with kubectl.

    Raises:
        ConfigError: the token has a character that no header may have.
    """
    setting = configuration.auth_settings().get("BearerToken") or {}
    value = str(setting.get("value") or "").strip()
    if not value:
        return {}
    token = value.removeprefix(_BEARER).strip()
    hold(token)
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise ConfigError(
            "the kubeconfig's token has a character that no header may have",
            remedy="write it without spaces and new lines",
        )
    return {"authorization": f"{_BEARER}{token}"}


def _unquoted(error: Exception) -> str:
    """Return an error's words up to where it quotes an entry."""
    return _one_line(str(error).partition("{")[0]) or type(error).__name__


def _one_line(text: str) -> str:
    return redact_text(" ".join(text.split()))[:_LONGEST].strip("()'\" :")
