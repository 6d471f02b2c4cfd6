"""Which clusters are known to enforce NetworkPolicy."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ipv6k8s.kube.enforcement import policy_engine

PLAIN_NODE = {"metadata": {"name": "n"}, "status": {"nodeInfo": {"kubeletVersion": "v1.36.3"}}}


def _daemonset(name: str, **images: str) -> dict[str, Any]:
    containers = [{"name": key.replace("_", "-"), "image": image} for key, image in images.items()]
    pod = {"spec": {"containers": containers}}
    return {"metadata": {"name": name}, "spec": {"template": pod}}


def _k3s(arguments: str = "[]") -> dict[str, Any]:
    return {
        "metadata": {"name": "n", "annotations": {"k3s.io/node-args": arguments}},
        "status": {"nodeInfo": {"kubeletVersion": "v1.36.3+k3s1"}},
    }


@pytest.mark.parametrize(
    ("daemonset", "engine"),
    [
        ("cilium", "cilium"),
        ("anetd", "cilium"),
        ("calico-node", "calico"),
        ("canal", "calico"),
        ("antrea-agent", "antrea"),
        ("kube-router", "kube-router"),
        ("ovnkube-node", "ovn-kubernetes"),
        ("kube-ovn-cni", "kube-ovn"),
        ("kube-network-policies", "kube-network-policies"),
        ("kube-flannel-ds", ""),
        ("aws-node", ""),
    ],
)
def test_a_policy_engine_is_known_by_its_daemonset(daemonset: str, engine: str) -> None:
    assert policy_engine([_daemonset("other"), _daemonset(daemonset)], [PLAIN_NODE]) == engine


@pytest.mark.parametrize(
    ("image", "engine"),
    [
        ("docker.io/kindest/kindnetd:v20240813-c6f155d6", "kindnet"),
        ("docker.io/kindest/kindnetd:v20260101-0a1b2c3d", "kindnet"),
        ("docker.io/kindest/kindnetd:v20240730-75a5af0c", ""),
        ("kindnetd:local", ""),
    ],
)
def test_kindnet_enforces_since_a_version(image: str, engine: str) -> None:
    assert policy_engine([_daemonset("kindnet", kindnet_cni=image)], [PLAIN_NODE]) == engine


def test_weave_enforces_with_its_policy_controller() -> None:
    without = _daemonset("weave-net", weave="w:1")
    with_it = _daemonset("weave-net", weave="w:1", weave_npc="npc:1")

    assert policy_engine([without], [PLAIN_NODE]) == ""
    assert policy_engine([with_it], [PLAIN_NODE]) == "weave"


def test_k3s_enforces_unless_it_was_told_not_to() -> None:
    disabled = _k3s('["server","--disable-network-policy","true"]')

    assert policy_engine([], [_k3s(), _k3s()]) == "kube-router in k3s"
    assert policy_engine([], [disabled, _k3s()]) == ""
    assert policy_engine([], [_k3s(), PLAIN_NODE]) == ""


def test_an_unknown_cluster_is_not_known_to_enforce() -> None:
    assert policy_engine([], []) == ""
    assert policy_engine([], [PLAIN_NODE]) == ""
