"""Who we are to an API server: the official client's reading of a kubeconfig, and what not to show.

What it quotes in its errors may be a credential, so an error says the entry and no more.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.kube import config
from pytest_ipv6k8s.kube.config import Kubeconfig
from pytest_ipv6k8s.masking import hold, redact_text

_BEARER = "Bearer "


def load(kubeconfig: Kubeconfig) -> Any:
    """Return the configuration of the official client, with all its credentials noted.

    Raises:
        ConfigError: the kubeconfig cannot be used.
    """
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException, load_kube_config

    config.hold_credentials(kubeconfig.path)
    configuration = Configuration()
    try:
        load_kube_config(
            str(kubeconfig.path), context=kubeconfig.context, client_configuration=configuration
        )
    except (ConfigException, ValueError, TypeError, LookupError, AttributeError, OSError) as error:
        raise ConfigError(
            f"kubeconfig {kubeconfig.path}, context {kubeconfig.context!r} cannot be used: "
            f"{_unquoted(error)}",
            remedy="check its cluster and user entries",
        ) from None
    bearer_header(configuration)
    if configuration.key_file:
        with contextlib.suppress(OSError):
            hold(Path(configuration.key_file).read_bytes())
    return configuration


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
    said = " ".join(str(error).split())
    return redact_text(said.partition("{")[0])[:200].strip("()'\" :") or type(error).__name__
