"""The DNS of the pods is found by its address, on platforms that name it otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ipv6k8s.kube import resolver
from pytest_ipv6k8s.kube.corefile import CorefileError, forwards
from pytest_ipv6k8s.kube.inventory import DnsService
from tests.unit.fake_api import FakeApi

COREFILE = ".:5353 {\n    forward . {$UP} {$SECRET}\n    import custom/*.override\n}\n"
OPENSHIFT = DnsService(
    namespace="openshift-dns", name="dns-default", cluster_ips=("fd02::a", "172.30.0.10")
)
FOLDER = "/api/v1/namespaces/openshift-dns"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/openshift-dns/endpointslices"
PORTS = [
    {"name": "dns", "protocol": "UDP", "port": 5353},
    {"name": "dns-tcp", "protocol": "TCP", "port": 5353},
    {"name": "metrics", "protocol": "TCP", "port": 9154},
]


def _service(namespace: str, name: str, *addresses: str) -> dict[str, Any]:
    ports = [{**port, "port": 53} if port["name"] != "metrics" else port for port in PORTS]
    spec = {"clusterIPs": list(addresses), "ports": ports}
    return {"metadata": {"namespace": namespace, "name": name}, "spec": spec}


def _pod(name: str, *ips: str, **spec: Any) -> dict[str, Any]:
    container = {
        "args": ["-conf", "/etc/coredns/Corefile"],
        "env": [
            {"name": "UP", "value": "10.0.0.2"},
            {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        ],
        "volumeMounts": [
            {"name": "config", "mountPath": "/etc/coredns"},
            {"name": "custom", "mountPath": "/etc/coredns/custom"},
        ],
    }
    volumes = [
        {
            "name": "config",
            "configMap": {"name": "dns-default", "items": [{"key": "main", "path": "Corefile"}]},
        },
        {"name": "custom", "configMap": {"name": "dns-custom", "optional": True}},
    ]
    return {
        "metadata": {"name": name, "namespace": "openshift-dns"},
        "spec": {"nodeName": f"node-of-{name}", "containers": [container], "volumes": volumes}
        | spec,
        "status": {"podIPs": [{"ip": ip} for ip in ips]},
    }


@pytest.fixture
def api() -> FakeApi:
    """An OpenShift cluster; kube-system has an unused Service with the usual label."""
    made = FakeApi()
    unused = _service("kube-system", "kube-dns", "fd02::99")
    unused["metadata"]["labels"] = {"k8s-app": "kube-dns"}
    own = _service("openshift-dns", "dns-default", *OPENSHIFT.cluster_ips)
    made.lists = {
        "/api/v1/services": [_service("a", "headless", "None"), unused, own],
        f"{FOLDER}/services": [own],
        f"{FOLDER}/pods": [
            _pod("dns-b", "fd01::b", "10.128.0.11"),
            _pod("dns-a", "fd01::a", "10.128.0.10"),
            _pod("node-resolver", "fd00::1", hostNetwork=True),
            _pod("dns-c", "fd00::1", hostNetwork=True),
        ],
        SLICES: [
            {
                "metadata": {
                    "name": "s",
                    "labels": {"kubernetes.io/service-name": "dns-default"},
                },
                "addressType": "IPv6",
                "ports": PORTS,
                "endpoints": [
                    {"addresses": ["fd01::b"], "nodeName": "n-b"},
                    {"addresses": ["fd01::a"], "conditions": {"ready": True}},
                    {"addresses": ["fd01::c"], "conditions": {"ready": False}},
                    {"addresses": ["fd00::1"], "targetRef": {"kind": "Pod", "name": "dns-c"}},
                ],
            }
        ],
        f"{FOLDER}/configmaps": [
            {"metadata": {"name": "dns-default"}, "data": {"main": COREFILE, "other": "}"}},
            {"metadata": {"name": "dns-custom"}, "data": {"a.override": "log"}},
        ],
    }
    return made


@pytest.mark.parametrize(
    ("nameservers", "found"),
    [
        (("fd02::a",), OPENSHIFT),
        (("172.30.0.10",), OPENSHIFT),
        (("169.254.20.10",), None),
        ((), None),
    ],
)
def test_the_service_has_the_address_of_the_pods_nameserver(
    api: FakeApi, nameservers: tuple[str, ...], found: DnsService | None
) -> None:
    assert resolver.service_at(api, nameservers) == found


def test_ready_servers_are_told_with_pod_node_and_their_own_ports(api: FakeApi) -> None:
    first, second, third = resolver.servers(api, OPENSHIFT)

    assert str(first) == "pod dns-a (node node-of-dns-a)"
    assert str(second) == "pod dns-b (node n-b)"
    assert str(third) == "pod dns-c (node node-of-dns-c)"
    assert (second.address, second.ports) == ("fd01::b", {"udp": 5353, "tcp": 5353})
    assert second.ips == ("fd01::b", "10.128.0.11")


def test_the_corefile_is_the_one_that_the_pods_mount(api: FakeApi) -> None:
    found = resolver.configuration(api, OPENSHIFT)

    assert found is not None
    assert found.where == "openshift-dns/dns-default"
    assert [one.text for one in forwards(found.blocks)] == ["10.0.0.2", "{$SECRET}"]
    assert ("log",) in found.blocks[0].directives


def test_a_projected_volume_has_the_files_of_all_its_config_maps(api: FakeApi) -> None:
    for pod in api.lists[f"{FOLDER}/pods"]:
        main, custom = (volume.pop("configMap") for volume in pod["spec"]["volumes"])
        custom["items"] = [{"key": "a.override", "path": "custom/a.override"}]
        token = {"serviceAccountToken": {"path": "token"}}
        pod["spec"]["volumes"][0]["projected"] = {
            "sources": [token, {"configMap": main}, {"configMap": custom}]
        }

    found = resolver.configuration(api, OPENSHIFT)

    assert found is not None
    assert found.where == "openshift-dns/dns-default"
    assert ("log",) in found.blocks[0].directives


def test_a_dns_that_is_not_coredns_has_no_corefile(api: FakeApi) -> None:
    for pod in api.lists[f"{FOLDER}/pods"]:
        pod["spec"]["volumes"] = []

    assert resolver.configuration(api, OPENSHIFT) is None


def test_a_corefile_that_may_not_be_read_is_none(api: FakeApi) -> None:
    api.lists.pop(f"{FOLDER}/configmaps")
    api.validate(f"{FOLDER}/configmaps/dns-default", 403)

    assert resolver.configuration(api, OPENSHIFT) is None


def test_a_broken_corefile_is_named(api: FakeApi) -> None:
    api.lists[f"{FOLDER}/configmaps"][0]["data"]["main"] = ".:53 {\n"

    with pytest.raises(CorefileError, match=r"^ConfigMap openshift-dns/dns-default, .*Corefile"):
        resolver.configuration(api, OPENSHIFT)
