"""What a cluster provider is, and how one is found by its name."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.errors import ConfigError

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something on this machine that stops a provider, and what to do about it."""

    text: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSpec:
    """The cluster that is wanted.

    Attributes:
        run_id: part of the name of everything that is made.
        stack: the families, first one first; None leaves it to a cluster that exists.
        workers: number of worker nodes besides one control plane.
        node_image: image of the nodes; None for the provider's own default.
        probe_image: image that the nodes must have or be able to pull.
        kubeconfig, context: the cluster that exists.
    """

    run_id: str
    stack: Stack | None = None
    workers: int = 1
    node_image: str | None = None
    probe_image: str = "python:3-slim"
    kubeconfig: Path | None = None
    context: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A cluster that can be used; to one that we ``made`` we may do anything."""

    name: str
    provider: str
    kubeconfig: Path
    context: str
    made: bool


class ClusterProvider(Protocol):
    """Makes or finds clusters. Lifecycle only: no CNI, no probes, no verdicts."""

    def problems(self, spec: ClusterSpec) -> list[Problem]:
        """Return what stops this machine. Looks, never changes anything."""
        ...

    def create(self, spec: ClusterSpec, home: Path, progress: Progress) -> Cluster:
        """Make the cluster, all or nothing: what was begun is removed on any failure.

        Args:
            spec: what is wanted.
            home: a folder of the run's own, for files such as the kubeconfig.
            progress: told one line for each step.

        Raises:
            Ipv6k8sError: it could not be made; names the step and its last words.
        """
        ...

    def delete(self, name: str) -> None:
        """Remove a cluster that was made, by name, and all that belongs to it; twice is fine."""
        ...

    def collect(self, cluster: Cluster, folder: Path) -> None:
        """Write logs of the nodes below a folder."""
        ...


def provider(name: str) -> ClusterProvider:
    """Return the provider of this name: a module of :mod:`pytest_ipv6k8s.clusters.providers`.

    Raises:
        ConfigError: there is none; lists those that there are.
    """
    names = provider_names()
    if name not in names:
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "give one of these"
        raise ConfigError(
            f"unknown provider {name!r}: available are {', '.join(names)}", remedy=hint
        )
    module = importlib.import_module(f"pytest_ipv6k8s.clusters.providers.{name}")
    found: ClusterProvider = module.PROVIDER
    return found


def provider_names() -> list[str]:
    """Return the names of all providers."""
    folder = importlib.import_module("pytest_ipv6k8s.clusters.providers")
    return sorted(module.name for module in pkgutil.iter_modules(folder.__path__))
