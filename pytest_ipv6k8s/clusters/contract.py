"""What cluster providers and CNI installers are, and how one is found by its name."""

from __future__ import annotations

import enum
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Protocol

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.options import choice, listed, option, path_of, positive
from pytest_ipv6k8s.process import Progress
from pytest_ipv6k8s.suggestions import alike
from pytest_ipv6k8s.timeouts import Timeouts

ENTRY_POINTS = "pytest_ipv6k8s.providers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something on this machine that stops a provider, and what to do about it."""

    text: str
    remedy: str


class KubeProxy(enum.Enum):
    """The mode of kube-proxy in a cluster that is made; none leaves Services to the CNI."""

    IPTABLES = "iptables"
    NFTABLES = "nftables"
    NONE = "none"


class K3sComponent(enum.Enum):
    """What K3s brings besides a cluster, and can leave out."""

    SERVICELB = "servicelb"
    TRAEFIK = "traefik"


def names(kind: str) -> list[str]:
    """Return the names of our own providers or installers, sorted: the modules of a folder.

    Args:
        kind: ``provider`` or ``installer``.
    """
    folder = importlib.import_module(f"pytest_ipv6k8s.clusters.{kind}s")
    return sorted(module.name for module in pkgutil.iter_modules(folder.__path__))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSpec:
    """The cluster that is wanted; most of it is options, with their help for description.

    Attributes:
        run_id: part of the name of everything that is made.
        stack: the families, first one first; a cluster that exists has its own.
        cni: name of the CNI installer; ``default`` leaves the network to the provider.
        cni_chart: the Helm chart of an installer that uses one; None for its own default.
        kube_proxy: None for the provider's own.
        pod_cidrs, service_cidrs: ranges, one a family; empty for the provider's own.
        node_image: None for the provider's own default.
        probe_image: image that the nodes must have or be able to pull.
        keep: also leaves a cluster that came up without becoming ready, to look at.
        before_removal: called with the cluster's name when it could not be made and is about to
            be removed: the last moment to look at its nodes.
        timeouts: of all that is waited for.
    """

    run_id: str = ""
    kubeconfig: Path | None = option("Test the cluster of this kubeconfig.", "FILE", parse=path_of)
    context: str | None = option("The kubeconfig's context to use (its current one).", "NAME")
    stack: Stack = option(
        f"Families of the cluster, first one first: {listed(Stack)} "
        "(made: ipv6; existing: inferred, and when given a declaration to be kept; one "
        "without IPv6 has to be given).",
        "STACK",
        parse=choice(Stack),
        default=Stack.IPV6,
    )
    workers: int = option(
        "Worker nodes of a cluster that is made (1).", "N", parse=positive(int), default=1
    )
    cni: str = option(
        f"Who installs the network of a cluster that is made: {listed(names('installer'))} "
        "(default: the provider's own).",
        "NAME",
        default="default",
    )
    cni_command: str | None = option(
        "With --ipv6k8s-cni none: a shell command that installs the network; it finds KUBECONFIG.",
        "COMMAND",
    )
    cni_chart: str | None = option(
        "Helm chart of the CNI: a path, or a reference such as oci://... (the maker's, pinned).",
        "CHART",
    )
    cni_values: tuple[str, ...] = option(
        "More Helm values for the CNI, on top of ours: a file, or tunnel (Cilium over VXLAN).",
        "FILE",
        default=(),
    )
    kube_proxy: KubeProxy | None = option(
        f"Mode of kube-proxy in a cluster that is made: {listed(KubeProxy)} (the provider's own).",
        "MODE",
        parse=choice(KubeProxy),
    )
    pod_cidrs: tuple[str, ...] = option(
        "Pod range of a cluster that is made, one a family.", "CIDR", default=(), name="pod-cidr"
    )
    service_cidrs: tuple[str, ...] = option(
        "Service range of a cluster that is made.", "CIDR", default=(), name="service-cidr"
    )
    k3s_disable: tuple[K3sComponent, ...] = option(
        f"What K3s is to leave out: {listed(K3sComponent)}.",
        "NAME",
        parse=choice(K3sComponent),
        default=(),
    )
    node_image: str | None = option("Image of the nodes of a cluster that is made.", "IMAGE")
    probe_image: str = option(
        "Image with a Python for the probes.", "IMAGE", default="python:3-slim"
    )
    keep: bool = option("Keep the cluster that was made, and say how to use it.", default=False)
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
            progress: called with one line for each step.

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
            script: for sh; only looks, and its output is bounded.
            timeout: seconds for all of them.

        Returns:
            The output of each node, by the node's name; why, of a node that could not be asked.

        Raises:
            HostProblem: the nodes cannot be listed.
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
            progress: called with one line for each step.

        Raises:
            Ipv6k8sError: it does not roll out; names the pod and its last words.
        """
        ...


def provider(name: str) -> ClusterProvider:
    """Return the provider of this name: one of ours, or of an installed package.

    Ours are modules of :mod:`pytest_ipv6k8s.clusters.providers`; those of others are entry points
    of the group :data:`ENTRY_POINTS`, whose name is the option's value and whose object is the
    provider.

    Raises:
        ConfigError: there is none, there are two, or it cannot be loaded.
    """
    of_others = [point for point in _entry_points() if point.name == name]
    if not of_others:
        found: ClusterProvider = _plugin("provider", name, provider_names()).PROVIDER
        return found
    brought_by = [point.dist.name if point.dist else point.value for point in of_others]
    if name in names("provider"):
        brought_by.append("pytest-ipv6k8s")
    if len(brought_by) > 1:
        raise ConfigError(
            f"provider {name!r} is there more than once: from {' and '.join(brought_by)}",
            remedy="uninstall one of them, or give its entry point another name",
        )
    try:
        loaded: ClusterProvider = of_others[0].load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"provider {name!r} of {brought_by[0]} cannot be loaded: {error}",
            remedy=f"correct its entry point {of_others[0].value}, or uninstall the package",
        ) from None
    return loaded


def provider_names() -> list[str]:
    """Return the names of all providers, of ours and of installed packages, sorted."""
    return sorted({*names("provider"), *(point.name for point in _entry_points())})


def _entry_points() -> list[EntryPoint]:
    return list(entry_points(group=ENTRY_POINTS))


def installer(name: str) -> CniInstaller:
    """Return the CNI installer of this name: a module of ``pytest_ipv6k8s.clusters.installers``.

    Raises:
        ConfigError: there is none; lists those that there are.
    """
    found: CniInstaller = _plugin("installer", name, names("installer")).INSTALLER
    return found


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


def _plugin(kind: str, name: str, known: list[str]) -> Any:
    if name not in names(kind):
        close = alike(name, known, most=1)
        hint = f"did you mean {close!r}?" if close else "give one of these"
        raise ConfigError(f"unknown {kind} {name!r}: available are {', '.join(known)}", remedy=hint)
    return importlib.import_module(f"pytest_ipv6k8s.clusters.{kind}s.{name}")
