"""Facts of a cluster, read from an API server in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.errors import ClusterError
from pytest_ipv6k8s.kube import inventory
from pytest_ipv6k8s.kube.client import ApiError
from pytest_ipv6k8s.kube.inventory import DnsService, Inventory, Node
from pytest_ipv6k8s.plain import build, plain
from tests.unit.fake_api import FakeApi

NODES = "/api/v1/nodes"
PODS = "/api/v1/pods"
DAEMONSETS = "/apis/apps/v1/daemonsets"
CIDRS = "/apis/networking.k8s.io/v1/servicecidrs"
PROXY = "/api/v1/namespaces/kube-system/configmaps/kube-proxy"
PROPOSED = "/api/v1/namespaces/default/services"


def _named(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}}


def _node(name: str, **spec: Any) -> dict[str, Any]:
    return {
        **_named(name, zone="a"),
        "spec": {"podCIDRs": ["fd00:1::/64"], **spec},
        "status": {
            "conditions": [{"type": "Ready", "status": "True"}],
            "addresses": [
                {"type": "Hostname", "address": name},
                {"type": "InternalIP", "address": "fd00::1"},
                {"type": "InternalIP", "address": "10.0.0.1"},
            ],
            "nodeInfo": {
                "kubeletVersion": "v1.36.3",
                "kernelVersion": "6.18",
                "containerRuntimeVersion": "containerd://2",
            },
        },
    }


def _families(*names: str) -> Any:
    def make(body: Mapping[str, Any]) -> dict[str, Any]:
        assert body["spec"]["ipFamilyPolicy"] == "PreferDualStack"
        return {"spec": {"ipFamilies": list(names)}}

    return make


@pytest.fixture
def cluster() -> FakeApi:
    """A cluster with kindnet and kube-proxy."""
    api = FakeApi()
    api.singles["/version"] = {"gitVersion": "v1.36.3"}
    api.singles[PROXY] = {"data": {"config.conf": "mode: nftables\n"}}
    api.on_create[PROPOSED] = _families("IPv6")
    api.lists = {
        NODES: [_node("b"), _node("a")],
        PODS: [{**_named("p"), "spec": {"hostNetwork": True}}],
        DAEMONSETS: [_named("kindnet"), _named("kube-proxy")],
        CIDRS: [
            {**_named("extra"), "spec": {"cidrs": ["fd00:97::/112"]}},
            {**_named("kubernetes"), "spec": {"cidrs": ["fd00:96::/112"]}},
        ],
    }
    return api


def test_the_facts_are_read(cluster: FakeApi) -> None:
    found = inventory.read(cluster)

    assert (found.version, found.stack) == ("v1.36.3", Stack.IPV6)
    assert (found.cni, found.proxy) == ("kindnet", "kube-proxy nftables")
    assert found.service_cidrs == ("fd00:96::/112",)
    assert found.further_service_cidrs == ("fd00:97::/112",)
    assert found.host_network_pods
    assert found.policy_engine == ""
    assert [node.name for node in found.nodes] == ["a", "b"]
    assert found.nodes[0] == Node(
        name="a",
        internal_ips=("fd00::1", "10.0.0.1"),
        pod_cidrs=("fd00:1::/64",),
        labels={"zone": "a"},
        kubelet="v1.36.3",
        kernel="6.18",
        runtime="containerd://2",
    )


def _pod(*ips: str, node: str = "a", host: bool = False) -> dict[str, Any]:
    status = {"podIPs": [{"ip": ip} for ip in ips]}
    return {**_named("p"), "spec": {"hostNetwork": host, "nodeName": node}, "status": status}


@pytest.mark.parametrize(
    ("services", "pods", "stack", "differences"),
    [
        (
            ["IPv4"],
            [_pod("10.1.0.1", "fd00:1::1")],
            Stack.DUAL,
            "pods IPv4 and IPv6, Services IPv4, ServiceCIDR IPv6",
        ),
        (["IPv6"], [_pod("fd00:1::1")], Stack.IPV6, "nodes IPv6 and IPv4, pods IPv6"),
        (["IPv4", "IPv6"], [_pod("10.1.0.1")], Stack.DUAL, "pods IPv4, Services IPv4 and IPv6"),
        (["IPv6"], [_pod("10.1.0.1", host=True)], Stack.IPV6, "nodes IPv6 and IPv4, Services IPv6"),
        (["IPv6"], [_pod("10.1.0.1", node="windows")], Stack.IPV6, "nodes IPv6 and IPv4, Services"),
    ],
)
def test_families_of_pods_and_of_services_are_two_facts(
    cluster: FakeApi,
    services: list[str],
    pods: list[dict[str, Any]],
    stack: Stack,
    differences: str,
) -> None:
    cluster.on_create[PROPOSED] = _families(*services)
    cluster.lists[PODS] = pods

    found = inventory.read(cluster)

    assert [family.value for family in found.stack.families] == services
    assert found.pod_stack is stack
    assert differences in found.families.differences


def test_addresses_of_nodes_are_taken_as_the_kubelet_takes_them(cluster: FakeApi) -> None:
    node = _node("a", taints=[{"key": "node.cloudprovider.kubernetes.io/uninitialized"}])
    node["status"]["addresses"] = [
        {"type": "ExternalIP", "address": "node-a.example.com"},
        {"type": "ExternalIP", "address": "2001:db8::1"},
        {"type": "InternalIP", "address": "10.0.0.1"},
        {"type": "InternalIP", "address": "10.0.0.2"},
    ]
    cluster.lists[NODES] = [node]

    (found,) = inventory.read(cluster).nodes

    assert found.host_ips == ("10.0.0.1", "2001:db8::1")
    assert not found.ready


def test_nothing_is_stored_on_the_cluster(cluster: FakeApi) -> None:
    inventory.read(cluster)

    assert PROPOSED not in cluster.lists
    assert {verb for verb, path in cluster.asked if path != PROPOSED} == {"get", "list"}


@pytest.mark.parametrize(
    ("families", "stack"),
    [
        (("IPv4",), Stack.IPV4),
        (("IPv6",), Stack.IPV6),
        (("IPv4", "IPv6"), Stack.DUAL),
        (("IPv6", "IPv4"), Stack.DUAL_IPV6),
    ],
)
def test_the_stack_is_what_a_service_gets(
    cluster: FakeApi, families: tuple[str, ...], stack: Stack
) -> None:
    cluster.on_create[PROPOSED] = _families(*families)

    assert inventory.read(cluster).stack is stack


def test_services_without_families_are_an_error(cluster: FakeApi) -> None:
    cluster.on_create[PROPOSED] = _families()

    with pytest.raises(ClusterError, match="gave a Service no ipFamilies"):
        inventory.read(cluster)


def test_a_cluster_without_linux_nodes_is_an_error(cluster: FakeApi) -> None:
    cluster.lists[NODES] = [
        {**_node("w"), **_named("w", **{"kubernetes.io/os": "windows"})},
        {**_node("v"), **_named("v", type="virtual-kubelet")},
    ]

    with pytest.raises(ClusterError, match="no Linux node"):
        inventory.read(cluster)


def test_what_keeps_pods_off_a_node_is_read(cluster: FakeApi) -> None:
    broken, unknown = _node("broken"), _node("unknown")
    broken["status"]["conditions"] = [{"type": "Ready", "status": "Unknown"}]
    unknown["status"] = {}
    gpu = [{"key": "gpu", "value": "a", "effect": "NoSchedule"}]
    soft = [{"key": "soft", "effect": "PreferNoSchedule"}]
    cluster.lists[NODES] = [
        _node("good", taints=soft),
        _node("cordoned", unschedulable=True),
        _node("gpu", taints=gpu),
        broken,
        unknown,
    ]

    found = inventory.read(cluster).nodes

    assert {node.name for node in found if not node.ready} == {"broken", "unknown"}
    assert {node.name: [*map(str, node.taints)] for node in found if node.taints} == {
        "cordoned": ["cordoned"],
        "gpu": ["taint gpu=a"],
    }


def test_a_node_that_says_little_is_unknown(cluster: FakeApi) -> None:
    cluster.lists[NODES] = [{"metadata": {"name": "bare"}}]

    (node,) = inventory.read(cluster).nodes

    assert (node.internal_ips, node.pod_cidrs) == ((), ())
    assert (node.kubelet, node.kernel, node.runtime) == ("unknown", "unknown", "unknown")


@pytest.mark.parametrize("code", [403, 404])
def test_what_may_not_be_seen_is_done_without(cluster: FakeApi, code: int) -> None:
    cluster.validate(CIDRS, code)
    cluster.validate(DAEMONSETS, code)

    found = inventory.read(cluster)

    assert (found.service_cidrs, found.cni) == ((), "unknown")


def test_another_refusal_is_an_error(cluster: FakeApi) -> None:
    cluster.validate(DAEMONSETS, 500)

    with pytest.raises(ApiError):
        inventory.read(cluster)


@pytest.mark.parametrize(
    ("config", "proxy"),
    [
        ({"config.conf": "mode: ipvs"}, "kube-proxy ipvs"),
        ({"config.conf": "mode: ''"}, "kube-proxy iptables"),
        ({"config.conf": ""}, "kube-proxy iptables"),
        ({}, "unknown"),
    ],
)
def test_the_mode_of_kube_proxy_is_read(
    cluster: FakeApi, config: dict[str, str], proxy: str
) -> None:
    cluster.singles[PROXY] = {"data": config}

    assert inventory.read(cluster).proxy == proxy


@pytest.mark.parametrize(
    ("said", "ranges"),
    [("null", ()), ("[primary]", ()), ("['fd00::/8', 10.0.0.0/8]", ("fd00::/8", "10.0.0.0/8"))],
)
def test_the_addresses_that_serve_node_ports_are_read(
    cluster: FakeApi, said: str, ranges: tuple[str, ...]
) -> None:
    cluster.singles[PROXY] = {"data": {"config.conf": f"nodePortAddresses: {said}"}}

    assert inventory.read(cluster).node_port_addresses == ranges


def test_a_cluster_may_do_without_kube_proxy(cluster: FakeApi) -> None:
    cluster.validate(PROXY, 404)
    cluster.lists[DAEMONSETS] = [_named("cilium")]

    found = inventory.read(cluster)

    assert (found.cni, found.proxy) == ("cilium", "no kube-proxy")


def test_a_kube_proxy_whose_configuration_is_hidden_is_unknown(cluster: FakeApi) -> None:
    cluster.validate(PROXY, 403)

    assert inventory.read(cluster).proxy == "unknown"


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("registry.k8s.io/kindnetd:v20250512", "v20250512"),
        ("localhost:5000/kindnetd:v1@sha256:0123", "v1"),
        ("localhost:5000/kindnetd", "unknown"),
        ("", "unknown"),
    ],
)
def test_the_version_of_the_cni_is_the_tag_of_its_image(
    cluster: FakeApi, image: str, version: str
) -> None:
    pod = {"spec": {"containers": [{"name": "cni", "image": image}]}}
    cluster.lists[DAEMONSETS] = [{**_named("kindnet"), "spec": {"template": pod}}]

    assert inventory.read(cluster).cni_version == version


def test_daemonsets_that_may_not_be_seen_leave_the_proxy_unknown(cluster: FakeApi) -> None:
    cluster.validate(PROXY, 404)
    cluster.validate(DAEMONSETS, 403)

    assert inventory.read(cluster).proxy == "unknown"


def test_a_cluster_may_show_no_host_network_pods(cluster: FakeApi) -> None:
    cluster.lists[PODS] = [{**_named("p"), "spec": {}}]

    assert not inventory.read(cluster).host_network_pods


@pytest.mark.parametrize(
    "dns", [None, DnsService(namespace="n", name="dns", cluster_ips=("fd00::a",))]
)
def test_the_facts_reach_a_worker_as_they_are(cluster: FakeApi, dns: DnsService | None) -> None:
    found = replace(inventory.read(cluster), dns=dns)

    assert build(Inventory, json.loads(json.dumps(plain(found)))) == found
