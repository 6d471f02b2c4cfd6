"""Whether a CNI takes the addresses of pods from their node's podCIDRs, told by how it is set up.

Never told by the addresses that pods have: whether those lie in podCIDRs is what is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_ipv6k8s.kube import status
from pytest_ipv6k8s.kube.client import Api, Object
from pytest_ipv6k8s.kube.daemonsets import command_lines, settings_beside

# flannel-io/flannel, pkg/subnet/kube: with --kube-subnet-mgr it serves node.spec.podCIDRs, and
# says so on the node. K3s embeds it, Canal and RKE2's Canal run it.
_FLANNEL = "flannel.alpha.coreos.com/kube-subnet-manager"
# cloudnativelabs/kube-router, pkg/utils/pod_cidr.go: these come before node.spec.podCIDRs.
_KUBE_ROUTER = ("kube-router.io/pod-cidr", "kube-router.io/pod-cidrs")
_GKE_UNIFIED = "cloud.google.com/gke-dpv2-unified-cni"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setup:
    """How a CNI is set up."""

    api: Api
    daemonsets: Sequence[Object]
    nodes: Sequence[Object]

    def config(self, name: str, key: str) -> str:
        """Return what a ConfigMap of the CNI says; empty when there is none that we may read."""
        return str(settings_beside(self.api, self.daemonsets[0], name).get(key, ""))


def pod_cidrs_are_used(
    api: Api, cni: str, daemonsets: Sequence[Object], nodes: Sequence[Object]
) -> bool:
    """Tell whether a CNI is known to take the addresses of pods from their node's podCIDRs.

    Args:
        api: where its configuration is.
        cni: its name.
        daemonsets: those that run it.
        nodes: the Node objects.
    """
    ready = [node for node in nodes if status.is_ready(node)]
    if ready and all(_annotations(node).get(_FLANNEL) == "true" for node in ready):
        return True
    rule = _RULES.get(cni)
    if rule is None or not daemonsets:
        return False
    return rule(_Setup(api=api, daemonsets=daemonsets, nodes=nodes))


def _annotations(node: Object) -> dict[str, str]:
    return node["metadata"].get("annotations") or {}


def _cilium(setup: _Setup) -> bool:
    """docs.cilium.io, IP Address Management: of all modes, ``kubernetes`` alone does."""
    return setup.config("cilium-config", "ipam") == "kubernetes"


def _calico(setup: _Setup) -> bool:
    """docs.tigera.io/calico, CNI plugins: ``host-local`` with ``usePodCidr`` does."""
    manifest = setup.config("calico-config", "cni_network_config")
    said = manifest or setup.config("cni-config", "config")
    return '"host-local"' in said and "usePodCidr" in said


def _antrea(setup: _Setup) -> bool:
    """antrea.io/docs, design/architecture: host-local of the node's podCIDRs, unless it is chained
    behind another CNI (``networkPolicyOnly``)."""
    config = _yaml(setup.config("antrea-config", "antrea-agent.conf"))
    return bool(config) and config.get("trafficEncapMode") != "networkPolicyOnly"


def _kube_router(setup: _Setup) -> bool:
    """kube-router.io/docs/user-guide: it writes podCIDRs into the node's CNI configuration."""
    arguments = {word for words in command_lines(setup.daemonsets[0]) for word in words}
    routes = not {"--run-router=false", "--enable-cni=false"} & arguments
    own = any(name in _annotations(node) for node in setup.nodes for name in _KUBE_ROUTER)
    return routes and not own


def _gke(setup: _Setup) -> bool:
    """GoogleCloudPlatform/netd, scripts/install-cni.sh: netd writes a CNI configuration of
    spec.podCIDR and of the node's IPv6 /112, which is its IPv6 podCIDR (cloud-provider-gcp,
    pkg/controller/nodeipam/ipam); on nodes with this label it leaves that to the dataplane."""
    names = {daemonset["metadata"]["name"] for daemonset in setup.daemonsets}
    labels = [node["metadata"].get("labels") or {} for node in setup.nodes]
    return "netd" in names and not any(found.get(_GKE_UNIFIED) == "true" for found in labels)


def _yaml(text: str) -> dict[str, Any]:
    import yaml

    found = yaml.safe_load(text) if text else None
    return found if isinstance(found, dict) else {}


_RULES: dict[str, Callable[[_Setup], bool]] = {
    # kubernetes-sigs/kind, images/kindnetd: its CNI configuration is made of podCIDRs.
    "kindnet": lambda setup: True,
    "cilium": _cilium,
    "calico": _calico,
    "antrea": _antrea,
    "kube-router": _kube_router,
    "gke": _gke,
}
