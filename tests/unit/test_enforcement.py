"""Which clusters are known to enforce NetworkPolicy."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ipv6k8s.kube.client import ApiError
from pytest_ipv6k8s.kube.enforcement import policy_engine

PLAIN_NODE = {"metadata": {"name": "n"}, "status": {"nodeInfo": {"kubeletVersion": "v1.36.3"}}}


class SettingsApi:
    """An API server with ConfigMaps, by path; one that is None may not be seen."""

    def __init__(self, **data: dict[str, str] | None) -> None:
        self._data = {
            f"/api/v1/namespaces/net/configmaps/{name.replace('_', '-')}": settings
            for name, settings in data.items()
        }

    def find(self, path: str) -> dict[str, Any] | None:
        settings = self._data.get(path, {})
        if settings is None:
            raise ApiError("no", code=403)
        return {"data": settings} if settings else None


def _daemonset(name: str, *arguments: str, **images: str) -> dict[str, Any]:
    containers = [
        {"name": key.replace("_", "-"), "image": image, "args": list(arguments)}
        for key, image in images.items()
    ]
    pod = {"spec": {"containers": containers}}
    return {"metadata": {"name": name, "namespace": "net"}, "spec": {"template": pod}}


def _engine(
    daemonsets: list[dict[str, Any]], nodes: list[dict[str, Any]], **settings: dict[str, str] | None
) -> str:
    return policy_engine(SettingsApi(**settings), daemonsets, nodes)  # type: ignore[arg-type]


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
        ("azure-npm", "azure-npm"),
    ],
)
def test_a_policy_engine_is_known_by_its_daemonset(daemonset: str, engine: str) -> None:
    assert _engine([_daemonset("other"), _daemonset(daemonset)], [PLAIN_NODE]) == engine


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
    assert _engine([_daemonset("kindnet", kindnet_cni=image)], [PLAIN_NODE]) == engine


def test_weave_enforces_with_its_policy_controller() -> None:
    without = _daemonset("weave-net", weave="w:1")
    with_it = _daemonset("weave-net", weave="w:1", weave_npc="npc:1")

    assert _engine([without], [PLAIN_NODE]) == ""
    assert _engine([with_it], [PLAIN_NODE]) == "weave"


def test_k3s_enforces_unless_it_was_told_not_to() -> None:
    disabled = _k3s('["server","--disable-network-policy","true"]')

    assert _engine([], [_k3s(), _k3s()]) == "kube-router in k3s"
    assert _engine([], [disabled, _k3s()]) == ""
    assert _engine([], [_k3s(), PLAIN_NODE]) == ""


def test_an_unknown_cluster_is_not_known_to_enforce() -> None:
    assert _engine([], []) == ""
    assert _engine([], [PLAIN_NODE]) == ""


@pytest.mark.parametrize(
    ("daemonset", "engine"),
    [
        (
            _daemonset("kube-flannel-ds", kube_flannel="f:1", kube_network_policies="k:1"),
            "kube-network-policies",
        ),
        (_daemonset("network", calico_node="c:3", kube_flannel="f:1"), "calico"),
        (
            _daemonset("aws-node", "--enable-network-policy=true", aws_eks_nodeagent="a:1"),
            "aws-network-policy-agent",
        ),
        (_daemonset("aws-node", "--enable-network-policy=false", aws_eks_nodeagent="a:1"), ""),
        (_daemonset("kube-router", "--run-router=true", kube_router="k:2"), "kube-router"),
        (_daemonset("kube-router", "--run-firewall=false", kube_router="k:2"), ""),
        (_daemonset("cilium", "--enable-policy", "never", cilium_agent="c:1"), ""),
    ],
)
def test_an_engine_is_known_by_its_container_and_arguments(
    daemonset: dict[str, Any], engine: str
) -> None:
    assert _engine([daemonset], [PLAIN_NODE]) == engine


@pytest.mark.parametrize(
    ("settings", "engine"),
    [
        ({"enable-policy": "default"}, "cilium"),
        ({"enable-policy": "never"}, ""),
        ({"enable-k8s-networkpolicy": "false"}, ""),
        (None, "cilium"),
    ],
)
def test_cilium_is_asked_whether_it_enforces(settings: dict[str, str] | None, engine: str) -> None:
    found = _engine([_daemonset("cilium", cilium_agent="c:1")], [], cilium_config=settings)

    assert found == engine
