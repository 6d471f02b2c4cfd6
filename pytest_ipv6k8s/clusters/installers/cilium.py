"""Cilium, installed with its Helm chart."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from pytest_ipv6k8s import data
from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.clusters import rollout
from pytest_ipv6k8s.clusters.contract import (
    Cluster,
    ClusterSpec,
    KubeProxy,
    Problem,
    unused_command,
)
from pytest_ipv6k8s.errors import ClusterError
from pytest_ipv6k8s.kube import paths
from pytest_ipv6k8s.kube.client import Api
from pytest_ipv6k8s.kube.config import Kubeconfig
from pytest_ipv6k8s.process import CommandFailed, Progress, run
from pytest_ipv6k8s.timeouts import Timeouts

REPOSITORY, VERSION = "https://helm.cilium.io", "1.18.3"
OLDEST_HELM = (3, 8)  # the first whose OCI support is on without a switch
BUILT_IN = ("tunnel",)
LABEL = "app.kubernetes.io/part-of=cilium"


class Cilium:
    """Our values first, then those of ``--ipv6k8s-cni-values`` in order; the last one wins."""

    replaces_default = True

    def problems(self, spec: ClusterSpec) -> list[Problem]:
        """Return what is wrong with Helm, the chart and the values."""
        return [
            *unused_command(spec),
            *_helm_problems(spec.timeouts),
            *_chart_problems(spec.cni_chart),
            *_values_problems(spec),
        ]

    def install(self, cluster: Cluster, spec: ClusterSpec, progress: Progress) -> None:
        """Install the chart and wait until agents and operator run; see the contract.

        Raises:
            ClusterError: Helm refuses, or a pod does not come up; carries the last words.
        """
        chart = [spec.cni_chart or "cilium"]
        if not spec.cni_chart:
            chart += ["--repo", REPOSITORY, "--version", VERSION]
        progress(f"installing Cilium with Helm: {' '.join(chart)}")
        kubeconfig = Kubeconfig(path=cluster.kubeconfig, context=cluster.context)
        api = Api(kubeconfig, timeouts=spec.timeouts)
        home = cluster.kubeconfig.parent
        command: list[str | Path] = ["helm", "upgrade", "--install", "cilium", *chart]
        command += ["--namespace", rollout.NAMESPACE, "--kubeconfig", cluster.kubeconfig]
        command += ["--kube-context", cluster.context]
        for file in _values(api, spec, home):
            command += ["--values", file]
        try:
            installed = run(command, timeout=spec.timeouts.helm, progress=progress)
        except CommandFailed as error:
            raise ClusterError(f"Cilium cannot be installed: {error.problem}") from None
        if not installed.ok:
            raise ClusterError(
                f"Helm cannot install Cilium: {' '.join(installed.last_words.split())[:500]}",
                remedy="check --ipv6k8s-cni-chart and --ipv6k8s-cni-values, and the way to the "
                "chart's registry",
            )
        rollout.workloads_ready(api, "Cilium", LABEL, timeout=spec.timeouts.rollout)


def value_names(spec: ClusterSpec) -> list[str]:
    """Return which of our files of values a cluster gets, below ``fixtures/cilium``."""
    families = spec.stack.families
    own = spec.kube_proxy is KubeProxy.NONE
    return [
        "base",
        "ipv6" if Family.V6 in families else "no-ipv6",
        "ipv4" if Family.V4 in families else "no-ipv4",
        "kube-proxy-replacement" if own else "kube-proxy",
    ]


def _helm_problems(timeouts: Timeouts) -> list[Problem]:
    oldest = ".".join(map(str, OLDEST_HELM))
    remedy = f"install Helm {oldest} or newer: https://helm.sh"
    if shutil.which("helm") is None:
        return [Problem(text="helm is not on PATH", remedy=remedy)]
    asked = run(["helm", "version", "--short"], timeout=timeouts.version)
    found = re.match(r"v(\d+)\.(\d+)", asked.out)
    if found is None:
        return [Problem(text=f"helm does not tell its version: {asked.last_words}", remedy=remedy)]
    version = tuple(int(part) for part in found.groups())
    if version < OLDEST_HELM:
        return [Problem(text=f"helm {'.'.join(found.groups())} is too old", remedy=remedy)]
    return []


def _chart_problems(chart: str | None) -> list[Problem]:
    """Look at a chart that is a path: a reference to a registry is Helm's to judge."""
    if chart is None or "://" in chart:
        return []
    path = Path(chart)
    if (path / "Chart.yaml").is_file() or (path.is_file() and path.suffix == ".tgz"):
        return []
    what = "is not there" if not path.exists() else "is neither a folder with Chart.yaml nor a .tgz"
    return [
        Problem(
            text=f"chart {chart} {what}",
            remedy="give a path or an oci:// reference with --ipv6k8s-cni-chart",
        )
    ]


def _values_problems(spec: ClusterSpec) -> list[Problem]:
    known = f"give a file, or one of ours: {', '.join(BUILT_IN)}"
    found = [
        Problem(text=f"there are no Helm values in {given}: no such file", remedy=known)
        for given in spec.cni_values
        if given not in BUILT_IN and not Path(given).is_file()
    ]
    if "tunnel" in spec.cni_values and spec.stack is not Stack.IPV6:
        found.append(
            Problem(
                text="Cilium tunnels over IPv6 in IPv6-only clusters only",
                remedy="leave out --ipv6k8s-cni-values tunnel, or choose --ipv6k8s-stack ipv6",
            )
        )
    return found


def _values(api: Api, spec: ClusterSpec, folder: Path) -> list[Path]:
    """Return files of values, the last one of which wins; ours are written to a folder."""

    def write(name: str, text: str) -> Path:
        file = folder / f"cilium-{name}.yaml"
        file.write_text(text)
        return file

    def ours(name: str) -> Path:
        return write(name, data.text(f"cilium/{name}.yaml"))

    return [
        *(ours(name) for name in value_names(spec)),
        write("cluster", json.dumps(_of_cluster(api, spec))),
        *(ours(given) if given in BUILT_IN else Path(given) for given in spec.cni_values),
    ]


def _of_cluster(api: Api, spec: ClusterSpec) -> dict[str, str]:
    """Return the values that only this cluster knows."""
    names = {Family.V6: "ipv6NativeRoutingCIDR", Family.V4: "ipv4NativeRoutingCIDR"}
    found = {names[Family.of(cidr)]: cidr for cidr in spec.pod_cidrs}
    if spec.kube_proxy is KubeProxy.NONE:
        address, port = _api_server(api)
        found |= {"k8sServiceHost": address, "k8sServicePort": str(port)}
    return found


def _api_server(api: Api) -> tuple[str, int]:
    """Return where the API server listens itself, behind no Service."""
    slices = api.items(
        paths.endpoint_slices("default"),
        labelSelector=f"{paths.SERVICE_OF_SLICE}=kubernetes",
    )
    first = slices[0]
    return str(first["endpoints"][0]["addresses"][0]), int(first["ports"][0]["port"])


INSTALLER = Cilium()
