"""What cluster providers and CNI installers are, and how one is found by its name."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.options import K3sComponent, KubeProxy
from pytest_ipv6k8s.process import Progress
from pytest_ipv6k8s.timeouts import Timeouts


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
        cni: name of the CNI installer; ``default`` leaves the network to the provider.
        cni_command: the shell command of the installer ``none``.
        cni_chart: the Helm chart of an installer that uses one; None for its own default.
        cni_values: more files of Helm values, or names of those that the installer has.
        kube_proxy: mode of kube-proxy; None for the provider's own.
        pod_cidrs, service_cidrs: ranges, one a family; empty for the provider's own.
        k3s_disable: components that K3s is to leave out.
        node_image: image of the nodes; None for the provider's own default.
        probe_image: image that the nodes must have or be able to pull.
        kubeconfig, context: the cluster that exists.
        keep: leave a cluster that came up without becoming ready, to look at.
        before_removal: told the cluster's name when it could not be made and is about to be
            removed: the last moment to look at its nodes.
        timeouts: of all that is waited for.
    """

    run_id: str
    stack: Stack | None = None
    workers: int = 1
    cni: str = "default"
    cni_command: str | None = None
    cni_chart: str | None = None
    cni_values: tuple[str, ...] = ()
    kube_proxy: KubeProxy | None = None
    pod_cidrs: tuple[str, ...] = ()
    service_cidrs: tuple[str, ...] = ()
    k3s_disable: tuple[K3sComponent, ...] = ()
    node_image: str | None = None
    probe_image: str = "python:3-slim"
    kubeconfig: Path | None = None
    context: str | None = None
    keep: bool = False
    before_removal: Callable[[str], None] = field(default=lambda name: None, compare=False)
    timeouts: Timeouts = field(default_factory=Timeouts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A cluster that can be used; to one that we ``made`` we may do anything."""

    name: str
    provider: str
    kubeconfig: Path
    context: str
    owned: bool


class ClusterProvider(Protocol):
    """Makes or finds clusters. Lifecycle only: no CNI, no probes, no verdicts."""

    def problems(self, spec: ClusterSpec) -> list[Problem]:
        """Return what stops this machine. Looks, never changes anything."""
        ...

    def create(self, spec: ClusterSpec, home: Path, progress: Progress) -> Cluster:
        """Make the cluster, all or nothing: what was begun is removed on any failure.

        With ``keep``, a cluster whose kubeconfig is in ``home`` already stays.

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

    def on_nodes(self, name: str, script: str, timeout: float) -> dict[str, str]:
        """Run a shell script on every node of a cluster that was made, by its name.

        Args:
            name: the cluster's.
            script: for sh; only looks, and what it says is bounded.
            within: seconds for all of them.

        Returns:
            What each node said, by the node's name; why, of a node that could not be asked.

        Raises:
            HostProblem: the nodes cannot be told.
        """
        ...


class CniInstaller(Protocol):
    """Puts a network on a cluster that was made. No lifecycle, no probes, no verdicts.

    Attributes:
        replaces_default: whether the provider has to leave out the network that it brings.
    """

    replaces_default: bool

    def problems(self, spec: ClusterSpec) -> list[Problem]:
        """Return what stops this machine. Looks, never changes anything."""
        ...

    def install(self, cluster: Cluster, spec: ClusterSpec, progress: Progress) -> None:
        """Install the network and wait until it has rolled out.

        Args:
            cluster: its API server answers; nodes are NotReady where the network is missing.
            spec: what is wanted: stack, ranges, mode of kube-proxy.
            progress: told one line for each step.

        Raises:
            Ipv6k8sError: it does not roll out; names the pod and its last words.
        """
        ...


def provider(name: str) -> ClusterProvider:
    """Return the provider of this name: a module of :mod:`pytest_ipv6k8s.clusters.providers`.

    Raises:
        ConfigError: there is none; lists those that there are.
    """
    found: ClusterProvider = _plugin("provider", name).PROVIDER
    return found


def provider_names() -> list[str]:
    """Return the names of all providers."""
    return _names("provider")


def installer(name: str) -> CniInstaller:
    """Return the CNI installer of this name: a module of ``pytest_ipv6k8s.clusters.installers``.

    Raises:
        ConfigError: there is none; lists those that there are.
    """
    found: CniInstaller = _plugin("installer", name).INSTALLER
    return found


def installer_names() -> list[str]:
    """Return the names of all CNI installers."""
    return _names("installer")


def unused_command(spec: ClusterSpec) -> list[Problem]:
    """Return what is wrong when a command was given that this installer does not run."""
    if not spec.cni_command:
        return []
    return [
        Problem(
            text=f"--ipv6k8s-cni-command would not run: --ipv6k8s-cni is {spec.cni}",
            remedy="give --ipv6k8s-cni none as well",
        )
    ]


def _names(kind: str) -> list[str]:
    folder = importlib.import_module(f"pytest_ipv6k8s.clusters.{kind}s")
    return sorted(module.name for module in pkgutil.iter_modules(folder.__path__))


def _plugin(kind: str, name: str) -> Any:
    names = _names(kind)
    if name not in names:
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "give one of these"
        raise ConfigError(f"unknown {kind} {name!r}: available are {', '.join(names)}", remedy=hint)
    return importlib.import_module(f"pytest_ipv6k8s.clusters.{kind}s.{name}")
