"""The network that the provider brings."""

from __future__ import annotations

from pytest_ipv6k8s.clusters.contract import Cluster, ClusterSpec, Problem, unused_command
from pytest_ipv6k8s.process import Progress


class Default:
    """Leaves everything to the provider."""

    replaces_default = False

    def problems(self, spec: ClusterSpec) -> list[Problem]:
        """Return what nobody would heed: a command."""
        return unused_command(spec)

    def install(self, cluster: Cluster, spec: ClusterSpec, progress: Progress) -> None:
        """Do nothing: the provider has installed its own."""


INSTALLER = Default()
