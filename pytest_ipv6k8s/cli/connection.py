"""The options by which a command gets to a cluster, and its API server."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_ipv6k8s.kube.client import Api


def add(command: argparse.ArgumentParser) -> None:
    """Add the options to a command."""
    command.add_argument("--kubeconfig", type=Path, help="the cluster's kubeconfig (the usual one)")
    command.add_argument("--context", help="the kubeconfig's context to use (the current one)")


def api(chosen: argparse.Namespace) -> Api:
    """Return the API server of the chosen cluster.

    Raises:
        ConfigError: there is no such kubeconfig or context.
    """
    from pytest_ipv6k8s.kube import config
    from pytest_ipv6k8s.kube.client import Api

    return Api(config.read(config.find(chosen.kubeconfig, os.environ), chosen.context))
