"""Which pods are the cluster's network is told by what they do, not by what they are called."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ipv6k8s.bundle import cluster, components
from pytest_ipv6k8s.bundle.components import Component
from pytest_ipv6k8s.bundle.gathering import gather
from pytest_ipv6k8s.kube import paths
from pytest_ipv6k8s.kube.inventory import DnsService
from tests.unit.fake_api import FakeApi

OPENSHIFT = DnsService(namespace="openshift-dns", name="dns-default", cluster_ips=("fd02::a",))
DNS = [{"port": 53}]


def _service(name: str, ports: list[dict[str, int]], **selector: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"ports": ports, "selector": selector}}


def _pod(name: str, volume: dict[str, Any], **labels: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "openshift-dns", "labels": labels}
    return {"metadata": metadata, "spec": {"volumes": [volume, {"emptyDir": {}}]}}


def _daemonset(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "n"},
        "spec": {"selector": {"matchLabels": {"b": name, "a": "x"}}, "template": {"spec": spec}},
    }


@pytest.fixture
def api() -> FakeApi:
    """An OpenShift cluster, and a Service of kube-system on port 53 that no pod of ours asks."""
    found = FakeApi()
    token = {"serviceAccountToken": {"path": "token"}}
    maps = [{"configMap": {"name": name}} for name in ("dns-default", "dns-custom")]
    found.lists = {
        paths.services("openshift-dns"): [
            _service("dns-default", DNS, dns="default", a="b"),
            _service("other", DNS, dns="other"),
        ],
        paths.pods("openshift-dns"): [
            _pod("dns-1", {"projected": {"sources": [token, *maps]}}, dns="default", a="b"),
            _pod("other-1", {"configMap": {"name": "other"}}, dns="other"),
        ],
        paths.services(paths.KUBE_SYSTEM): [
            _service("dns-under-another-name", DNS, run="dns"),
            _service("metrics", [{"port": 443}], run="metrics"),
            {"metadata": {"name": "served-elsewhere"}, "spec": {"ports": DNS}},
        ],
        paths.pods(paths.KUBE_SYSTEM): [],
    }
    return found


def test_the_dns_is_what_serves_the_pods_nameserver(api: FakeApi) -> None:
    (found,) = components.dns(api, OPENSHIFT)

    assert found == Component(
        namespace="openshift-dns",
        selector="a=b,dns=default",
        config_maps=("dns-default", "dns-custom"),
    )


def test_where_it_is_not_known_it_is_what_kube_system_has_on_port_53(api: FakeApi) -> None:
    (found,) = components.dns(api, None)

    assert (found.namespace, found.selector) == ("kube-system", "run=dns")


def test_daemonsets_of_the_network_are_a_cni_kube_proxy_and_a_cache_of_dns(api: FakeApi) -> None:
    port = [{"ports": [{"containerPort": 53}]}]
    api.lists[paths.ALL_DAEMONSETS] = [
        _daemonset("any-cni", volumes=[{"hostPath": {"path": "/etc/cni/net.d"}}]),
        _daemonset("kube-proxy", volumes=[{"configMap": {"name": "kube-proxy"}}]),
        _daemonset("node-local-dns", hostNetwork=True, containers=port),
        _daemonset("somebodys-dns", containers=port),
        _daemonset("agent", hostNetwork=True, volumes=[{"hostPath": {"path": "/var/log"}}]),
    ]

    found = {one.selector: one.config_maps for one in components.on_nodes(api)}

    assert found == {
        "a=x,b=any-cni": (),
        "a=x,b=kube-proxy": ("kube-proxy",),
        "a=x,b=node-local-dns": (),
    }


def test_objects_are_read_where_the_dns_is(api: FakeApi) -> None:
    sources = cluster.sources(api, cluster.Scope(run_id="abc", dns=OPENSHIFT))
    api.lists[paths.NAMESPACES] = []
    for namespace in ("openshift-dns", "kube-system", "default"):
        for kind in sources.keys() & {"pods", "services"}:
            api.lists.setdefault(paths.inside(namespace, kind), [])

    gathered = gather({kind: sources[kind] for kind in ("pods", "services")}, timeout=5)

    assert gathered.missing == ()
    names = {file.name for file in gathered.files}
    assert {"objects/openshift-dns/pods.json", "objects/openshift-dns/services.json"} <= names
