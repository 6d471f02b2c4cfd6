"""Who enforces NetworkPolicy on a cluster, as far as its objects and settings tell."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_ipv6k8s.kube.client import Api, Object
from pytest_ipv6k8s.kube.daemonsets import command_lines, containers, settings_beside


@dataclass(frozen=True, slots=True, kw_only=True)
class _Engine:
    """A policy engine, known by a DaemonSet or a container in one.

    Attributes:
        name: how it is called.
        known_by: names of DaemonSets and of containers.
        arguments: arguments of which one switches it on; empty where it is on by default.
        off: arguments that switch it off.
        config_map: the ConfigMap, beside the DaemonSet, that can switch it off.
        settings_off: the settings that do.
    """

    name: str
    known_by: frozenset[str]
    arguments: frozenset[str] = frozenset()
    off: frozenset[str] = frozenset()
    config_map: str = ""
    settings_off: frozenset[tuple[str, str]] = frozenset()


# Each enforces NetworkPolicy as it is installed by default, unless it says otherwise here; says:
_ENGINES = (
    # docs.cilium.io, Network Policy, Policy Enforcement Modes, and cilium-agent's command
    # reference; cloud.google.com/kubernetes-engine/docs/concepts/dataplane-v2 for anetd
    _Engine(
        name="cilium",
        known_by=frozenset({"cilium", "cilium-agent", "anetd"}),
        off=frozenset({"--enable-policy=never", "--enable-k8s-networkpolicy=false"}),
        config_map="cilium-config",
        settings_off=frozenset({("enable-policy", "never"), ("enable-k8s-networkpolicy", "false")}),
    ),
    # docs.tigera.io/calico, Kubernetes policy; canal, rke2-canal and GKE run this container too
    _Engine(name="calico", known_by=frozenset({"calico-node", "canal", "rke2-canal"})),
    # antrea.io/docs, Antrea Network Policy
    _Engine(name="antrea", known_by=frozenset({"antrea-agent"})),
    # kube-router.io/docs/user-guide: --run-firewall is true
    _Engine(
        name="kube-router",
        known_by=frozenset({"kube-router"}),
        off=frozenset({"--run-firewall=false"}),
    ),
    # ovn-kubernetes.io/features/network-security-controls
    _Engine(name="ovn-kubernetes", known_by=frozenset({"ovnkube-node"})),
    # kubeovn.github.io/docs: --enable-np is true
    _Engine(name="kube-ovn", known_by=frozenset({"kube-ovn-cni"})),
    # kubernetes-sigs/kube-network-policies; flannel's chart puts it beside its own container
    _Engine(name="kube-network-policies", known_by=frozenset({"kube-network-policies"})),
    # docs.aws.amazon.com/eks/latest/userguide/cni-network-policy.html: the container is always
    # there, and does nothing without this argument (aws/amazon-vpc-cni-k8s, aws-k8s-cni.yaml)
    _Engine(
        name="aws-network-policy-agent",
        known_by=frozenset({"aws-eks-nodeagent", "aws-network-policy-agent"}),
        arguments=frozenset({"--enable-network-policy=true", "--enable-network-policy"}),
    ),
    # Azure/azure-container-networking, npm/azure-npm.yaml
    _Engine(name="azure-npm", known_by=frozenset({"azure-npm"})),
    # weaveworks.com/docs/net: the second container of the pod is the policy controller
    _Engine(name="weave", known_by=frozenset({"weave-npc"})),
)
# kind v0.24.0 release notes: kindnetd v20240813 is the first with NetworkPolicy.
_KINDNET, _FIRST_ENFORCING_KINDNET = "kindnet", 20240813
# docs.k3s.io/networking: kube-router's policy controller is embedded, unless it is disabled.
_K3S, _K3S_ARGUMENTS, _K3S_DISABLED = "+k3s", "k3s.io/node-args", "--disable-network-policy"


def policy_engine(api: Api, daemonsets: Sequence[Object], nodes: Sequence[Object]) -> str:
    """Return what is known to enforce NetworkPolicy; empty when nothing is known to.

    Args:
        api: where the settings of an engine are read.
        daemonsets: those of all namespaces that we may see.
        nodes: the Node objects.
    """
    for engine in _ENGINES:
        for daemonset in daemonsets:
            if _enforces(api, engine, daemonset):
                return engine.name
    if any(_is_enforcing_kindnet(daemonset) for daemonset in daemonsets):
        return "kindnet"
    return "kube-router in k3s" if nodes and all(map(_k3s_enforces, nodes)) else ""


def _enforces(api: Api, engine: _Engine, daemonset: Object) -> bool:
    names = {daemonset["metadata"]["name"], *(c["name"] for c in containers(daemonset))}
    if not engine.known_by & names:
        return False
    arguments = set(_arguments(daemonset))
    if engine.off & arguments or (engine.arguments and not engine.arguments & arguments):
        return False
    if not engine.config_map:
        return True
    settings = settings_beside(api, daemonset, engine.config_map)
    return not engine.settings_off & set(settings.items())


def _arguments(daemonset: Object) -> Iterator[str]:
    """Yield the arguments of all containers, ``--name value`` as ``--name=value``."""
    for words in command_lines(daemonset):
        yield from words
        yield from (f"{name}={value}" for name, value in itertools.pairwise(words))


def _is_enforcing_kindnet(daemonset: Object) -> bool:
    images = [container.get("image", "") for container in containers(daemonset)]
    dates = [re.search(r":v(\d{8})\b", image) for image in images]
    enforcing = any(int(found[1]) >= _FIRST_ENFORCING_KINDNET for found in dates if found)
    return daemonset["metadata"]["name"] == _KINDNET and enforcing


def _k3s_enforces(node: Object) -> bool:
    kubelet = node.get("status", {}).get("nodeInfo", {}).get("kubeletVersion", "")
    arguments = (node["metadata"].get("annotations") or {}).get(_K3S_ARGUMENTS, "")
    return _K3S in kubelet and _K3S_DISABLED not in arguments
