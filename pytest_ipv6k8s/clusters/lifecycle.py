"""The steps that all providers share who make clusters: before their own, around them, after."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from pytest_ipv6k8s.clusters import rollout
from pytest_ipv6k8s.clusters.contract import Cluster, ClusterSpec, KubeProxy, Problem, installer
from pytest_ipv6k8s.errors import HostProblem
from pytest_ipv6k8s.kube.client import Api
from pytest_ipv6k8s.kube.config import Kubeconfig
from pytest_ipv6k8s.process import Progress


def network_problems(spec: ClusterSpec) -> list[Problem]:
    """Return what keeps this machine from putting the wanted network on a cluster."""
    chosen = installer(spec.cni)
    found = chosen.problems(spec)
    if spec.kube_proxy is KubeProxy.NONE and not chosen.replaces_default:
        found.append(
            Problem(
                text="without kube-proxy somebody else has to serve Services, and the provider's "
                "own CNI does not",
                remedy="choose another --ipv6k8s-kube-proxy, or a CNI that does: --ipv6k8s-cni",
            )
        )
    return found


@contextlib.contextmanager
def all_or_nothing(
    cluster: Cluster, spec: ClusterSpec, delete: Callable[[str], None]
) -> Iterator[None]:
    """Delete a cluster when its making breaks off; what went wrong first is what is told.

    With ``keep``, a cluster whose kubeconfig is there already stays.
    """
    try:
        yield
    except BaseException as error:
        if isinstance(error, Exception):  # somebody who presses Ctrl-C does not want to wait
            spec.before_removal(cluster.name)
        if not (spec.keep and cluster.kubeconfig.exists()):
            with contextlib.suppress(HostProblem):
                delete(cluster.name)
        raise


def make_ready(cluster: Cluster, spec: ClusterSpec, progress: Progress) -> None:
    """Install the network and wait until nodes and CoreDNS, the first pods, are ready.

    Raises:
        ClusterError: they do not become so; carries their last words.
    """
    installer(spec.cni).install(cluster, spec, progress)
    kubeconfig = Kubeconfig(path=cluster.kubeconfig, context=cluster.context)
    api, timeout = Api(kubeconfig, timeouts=spec.timeouts), spec.timeouts.nodes_ready
    rollout.nodes_ready(api, timeout=timeout)
    rollout.workloads_ready(api, "CoreDNS", "k8s-app=kube-dns", timeout=timeout)
