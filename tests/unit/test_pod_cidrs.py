"""Who takes the addresses of pods from podCIDRs: told by how a CNI is set up."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ipv6k8s.kube.pod_cidrs import pod_cidrs_are_used
from tests.unit.fake_api import FakeApi

CONFIG = "/api/v1/namespaces/net/configmaps"
CNI, AGENT = "cni_network_config", "antrea-agent.conf"
HOST_LOCAL = '{"plugins": [{"ipam": {"type": "host-local", "subnet": "usePodCidr"}}]}'
CALICO_IPAM = '{"plugins": [{"ipam": {"type": "calico-ipam"}}]}'


def _daemonset(*args: str) -> dict[str, Any]:
    pod = {"containers": [{"name": "agent", "args": list(args)}]}
    return {"metadata": {"name": "d", "namespace": "net"}, "spec": {"template": {"spec": pod}}}


def _node(**annotations: str) -> dict[str, Any]:
    ready = [{"type": "Ready", "status": "True"}]
    return {
        "metadata": {"name": "a", "annotations": annotations},
        "status": {"conditions": ready},
    }


@pytest.mark.parametrize(
    ("cni", "config", "used"),
    [
        ("kindnet", None, True),
        ("cilium", ("cilium-config", "ipam", "kubernetes"), True),
        ("cilium", ("cilium-config", "ipam", "cluster-pool"), False),
        ("cilium", ("cilium-config", "enable-ipv6", "true"), False),
        ("cilium", None, False),
        (
            "calico",
            ("calico-config", CNI, HOST_LOCAL),
            True,
        ),
        ("calico", ("cni-config", "config", HOST_LOCAL), True),
        ("calico", ("calico-config", CNI, CALICO_IPAM), False),
        ("antrea", ("antrea-config", AGENT, "trafficEncapMode: encap"), True),
        (
            "antrea",
            ("antrea-config", AGENT, "trafficEncapMode: networkPolicyOnly"),
            False,
        ),
        ("aws-vpc-cni", None, False),
        ("unknown", None, False),
    ],
)
def test_the_setup_of_a_cni_tells_whether_pod_cidrs_are_used(
    cni: str, config: tuple[str, str, str] | None, used: bool
) -> None:
    api = FakeApi()
    if config:
        name, key, value = config
        api.singles[f"{CONFIG}/{name}"] = {"data": {key: value}}

    assert pod_cidrs_are_used(api, cni, [_daemonset()], [_node()]) is used


def test_flannel_says_so_on_nodes_also_where_it_is_built_in() -> None:
    flannel = {"flannel.alpha.coreos.com/kube-subnet-manager": "true"}

    assert pod_cidrs_are_used(FakeApi(), "unknown", [], [_node(**flannel)])
    assert not pod_cidrs_are_used(FakeApi(), "flannel", [], [_node(**flannel), _node()])


def test_a_node_that_joins_has_yet_to_hear_of_flannel() -> None:
    flannel = {"flannel.alpha.coreos.com/kube-subnet-manager": "true"}

    assert pod_cidrs_are_used(
        FakeApi(), "flannel", [], [_node(**flannel), _node() | {"status": {}}]
    )


def test_gke_uses_them_where_netd_writes_the_configuration() -> None:
    def used(*names: str, **labels: str) -> bool:
        daemonsets = [{"metadata": {"name": name}} for name in names]
        labelled: dict[str, Any] = {"metadata": {"name": "b", "labels": labels}}
        return pod_cidrs_are_used(FakeApi(), "gke", daemonsets, [_node(), labelled])

    assert used("anetd", "netd", **{"cloud.google.com/gke-stack-type": "IPV4_IPV6"})
    assert not used("anetd")
    assert not used("anetd", "netd", **{"cloud.google.com/gke-dpv2-unified-cni": "true"})


def test_kube_router_uses_them_unless_nodes_or_arguments_say_otherwise() -> None:
    def used(args: list[str], annotations: dict[str, str]) -> bool:
        daemonsets, nodes = [_daemonset(*args)], [_node(**annotations)]
        return pod_cidrs_are_used(FakeApi(), "kube-router", daemonsets, nodes)

    assert used(["--run-router=true"], {})
    assert not used(["--run-router=false"], {})
    assert not used(["--enable-cni=false"], {})
    assert not used([], {"kube-router.io/pod-cidrs": "10.1.0.0/24"})
