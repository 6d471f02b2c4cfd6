"""How to fix what a check found, for each component that can be at fault."""

from __future__ import annotations

import enum
import functools
from dataclasses import dataclass

from pytest_ipv6k8s import data


class Component(enum.Enum):
    """What can be at fault; in this order fixes are listed."""

    API_SERVER = "kube-apiserver"
    CONTROLLER_MANAGER = "kube-controller-manager"
    KUBELET = "kubelet"
    NODE = "node"
    KUBE_PROXY = "kube-proxy"
    COREDNS = "CoreDNS"
    BIND = "BIND"
    UNBOUND = "unbound"
    NAT64 = "NAT64 gateway"
    FLANNEL = "flannel"
    CILIUM = "Cilium"
    CALICO = "Calico"
    CNI = "CNI"
    K3S = "K3s"
    KIND = "kind"


NETWORKS = (Component.FLANNEL, Component.CILIUM, Component.CALICO)
"""The components that are a cluster's own network, one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One sentence that says what to change.

    Attributes:
        component: what is to be changed.
        text: the sentence, with the command or the setting.
        source: who says so; empty when nobody has to.
        checks: ids of checks, or areas.
    """

    component: Component
    text: str
    source: str
    checks: tuple[str, ...]


@functools.cache
def fixes() -> tuple[Fix, ...]:
    """Return all fixes, by component.

    Raises:
        ValueError: ``fixtures/fixes.yaml`` names an unknown component.
    """
    import yaml

    found = [
        Fix(
            component=Component(item["component"]),
            text=item["fix"],
            source=item.get("source", ""),
            checks=tuple(item["checks"]),
        )
        for item in yaml.safe_load(data.text("fixes.yaml"))
    ]
    order = list(Component)
    return tuple(sorted(found, key=lambda fix: order.index(fix.component)))


def fixes_for(id: str, *, cni: str, proxy: str) -> tuple[Fix, ...]:
    """Return what can be changed in one cluster when a check fails, its own network first.

    Args:
        id: the check's.
        cni: the name of the cluster's network, as the inventory has it.
        proxy: what translates Services, as the inventory has it.
    """
    own = [network for network in NETWORKS if network.value.lower() == cni.lower()]
    others = {*NETWORKS} - {*own}
    if not proxy.startswith("kube-proxy"):
        others.add(Component.KUBE_PROXY)
    found = [fix for fix in fixes_of(id) if fix.component not in others]
    return tuple(sorted(found, key=lambda fix: fix.component not in own))


def fixes_of(id: str) -> tuple[Fix, ...]:
    """Return what can be changed when a check fails, by component."""
    area = id.split("-")[0]
    return tuple(fix for fix in fixes() if id in fix.checks or area in fix.checks)
