"""Who enforces NetworkPolicy on a cluster, as far as the objects of the cluster tell."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pytest_ipv6k8s.kube.client import Object

# Each enforces NetworkPolicy as it is installed by default; says its documentation:
_ENFORCING_DAEMONSETS = {
    "cilium": "cilium",  # docs.cilium.io, Network Policy: enable-policy is "default"
    "anetd": "cilium",  # cloud.google.com/kubernetes-engine/docs/concepts/dataplane-v2
    "calico-node": "calico",  # docs.tigera.io/calico, Kubernetes policy
    "canal": "calico",  # docs.tigera.io/calico, flannel with Calico's policy
    "rke2-canal": "calico",  # docs.rke2.io/networking/basic_network_options
    "antrea-agent": "antrea",  # antrea.io/docs, Antrea Network Policy
    "kube-router": "kube-router",  # kube-router.io/docs/user-guide: --run-firewall is true
    "ovnkube-node": "ovn-kubernetes",  # ovn-kubernetes.io/features/network-security-controls
    "kube-ovn-cni": "kube-ovn",  # kubeovn.github.io/docs: --enable-np is true
    "kube-network-policies": "kube-network-policies",  # kubernetes-sigs/kube-network-policies
}
# weaveworks.com/docs/net: the second container of the pod is the policy controller.
_WEAVE, _WEAVE_CONTROLLER = "weave-net", "weave-npc"
# kind v0.24.0 release notes: kindnetd v20240813 is the first with NetworkPolicy.
_KINDNET, _FIRST_ENFORCING_KINDNET = "kindnet", 20240813
# docs.k3s.io/networking: kube-router's policy controller is embedded, unless it is disabled.
_K3S, _K3S_ARGUMENTS, _K3S_DISABLED = "+k3s", "k3s.io/node-args", "--disable-network-policy"


def policy_engine(daemonsets: Sequence[Object], nodes: Sequence[Object]) -> str:
    """Return what is known to enforce NetworkPolicy; empty when nothing is known to.

    Args:
        daemonsets: those of all namespaces that we may see.
        nodes: the Node objects.
    """
    by_name = {item["metadata"]["name"]: item for item in daemonsets}
    for name, engine in _ENFORCING_DAEMONSETS.items():
        if name in by_name:
            return engine
    if _WEAVE in by_name and _WEAVE_CONTROLLER in _containers(by_name[_WEAVE]):
        return "weave"
    if _KINDNET in by_name and _kindnet_enforces(by_name[_KINDNET]):
        return "kindnet"
    return "kube-router in k3s" if nodes and all(map(_k3s_enforces, nodes)) else ""


def _containers(daemonset: Object) -> Mapping[str, str]:
    """Return the images of a DaemonSet's containers by name."""
    pod = daemonset.get("spec", {}).get("template", {}).get("spec", {})
    return {item["name"]: item.get("image", "") for item in pod.get("containers") or []}


def _kindnet_enforces(daemonset: Object) -> bool:
    dates = [re.search(r":v(\d{8})\b", image) for image in _containers(daemonset).values()]
    return any(int(found[1]) >= _FIRST_ENFORCING_KINDNET for found in dates if found)


def _k3s_enforces(node: Object) -> bool:
    kubelet = node.get("status", {}).get("nodeInfo", {}).get("kubeletVersion", "")
    arguments = (node["metadata"].get("annotations") or {}).get(_K3S_ARGUMENTS, "")
    return _K3S in kubelet and _K3S_DISABLED not in arguments
