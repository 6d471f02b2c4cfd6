"""No network of ours: a shell command installs one."""

from __future__ import annotations

from pytest_ipv6k8s.clusters.contract import Cluster, ClusterSpec, Problem
from pytest_ipv6k8s.errors import ClusterError
from pytest_ipv6k8s.masking import without_secrets
from pytest_ipv6k8s.process import CommandFailed, Progress, run

SHOWN = 60


class Command:
    """Runs ``--ipv6k8s-cni-command``."""

    replaces_default = True

    def problems(self, spec: ClusterSpec) -> list[Problem]:
        """Return what is missing: the command."""
        if spec.cni_command:
            return []
        return [
            Problem(
                text="--ipv6k8s-cni none leaves the cluster without a network",
                remedy="give the command that installs one with --ipv6k8s-cni-command",
            )
        ]

    def install(self, cluster: Cluster, spec: ClusterSpec, progress: Progress) -> None:
        """Run the command; see the contract.

        It finds ``KUBECONFIG``, and what was asked for under the names of our options:
        ``IPV6K8S_STACK``, ``IPV6K8S_POD_CIDR``, ``IPV6K8S_SERVICE_CIDR`` (comma-joined, in the
        order of the families), ``IPV6K8S_KUBE_PROXY`` (empty for the provider's own) and
        ``IPV6K8S_CLUSTER``, the cluster's name.

        Raises:
            ClusterError: it fails or does not end; carries its last words.
        """
        command = spec.cni_command or ""
        safe = without_secrets(command)
        shown = safe if len(safe) <= SHOWN else f"{safe[:SHOWN]}..."
        progress(f"installing the CNI: {shown}")
        remedy = "try it by hand on the cluster that --ipv6k8s-keep leaves"
        try:
            ended = run(
                ["sh", "-ec", command],
                timeout=spec.timeouts.cni_command,
                environment=variables(cluster, spec),
                progress=progress,
            )
        except CommandFailed as error:
            raise ClusterError(f"the CNI command: {error.problem}", remedy=remedy) from None
        if not ended.ok:
            output = " / ".join(ended.last_words.splitlines()) or "it said nothing"
            raise ClusterError(
                f"the CNI command failed with exit code {ended.code}: {output}", remedy=remedy
            )


def variables(cluster: Cluster, spec: ClusterSpec) -> dict[str, str]:
    """Return what a command finds in its environment."""
    return {
        "KUBECONFIG": str(cluster.kubeconfig),
        "IPV6K8S_CLUSTER": cluster.name,
        "IPV6K8S_STACK": spec.stack.value,
        "IPV6K8S_POD_CIDR": ",".join(spec.pod_cidrs),
        "IPV6K8S_SERVICE_CIDR": ",".join(spec.service_cidrs),
        "IPV6K8S_KUBE_PROXY": spec.kube_proxy.value if spec.kube_proxy else "",
    }


INSTALLER = Command()
