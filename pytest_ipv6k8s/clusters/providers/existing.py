"""A cluster that exists, found by its kubeconfig."""

from __future__ import annotations

import os
from pathlib import Path

from pytest_ipv6k8s.clusters.contract import Cluster, ClusterSpec, Problem
from pytest_ipv6k8s.kube import config
from pytest_ipv6k8s.process import Progress


class Existing:
    """Finds a cluster; makes and deletes nothing."""

    def problems(self, spec: ClusterSpec) -> list[Problem]:
        """Return what only a cluster that is made could have."""
        asked = {
            "--ipv6k8s-cni": None if spec.cni == "default" else spec.cni,
            "--ipv6k8s-kube-proxy": spec.kube_proxy and spec.kube_proxy.value,
        }
        return [
            Problem(
                text=f"{option} {value} is for clusters that are made, and this one exists",
                remedy="leave it out, or choose --ipv6k8s-provider kind",
            )
            for option, value in asked.items()
            if value
        ]

    def create(self, spec: ClusterSpec, home: Path, progress: Progress) -> Cluster:
        """Settle kubeconfig and context.

        Raises:
            ConfigError: the kubeconfig is missing or no good, or has no such context.
        """
        found = config.read(config.find(spec.kubeconfig, os.environ, home), spec.context)
        return Cluster(
            name=found.context,
            provider="existing",
            kubeconfig=found.path,
            context=found.context,
            owned=False,
        )

    def delete(self, name: str) -> None:
        """Do nothing: the cluster is not ours."""

    def on_nodes(self, name: str, script: str, timeout: float) -> dict[str, str]:
        """Return nothing: its nodes are not ours to run anything on."""
        return {}


PROVIDER = Existing()
