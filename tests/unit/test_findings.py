"""What the API says of the places where a check is red."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ipv6k8s.kube import paths
from pytest_ipv6k8s.kube.findings import findings, without_route
from tests.unit.fake_api import FakeApi

DNS = {"k8s-app": "kube-dns"}
SLICES = paths.endpoint_slices("kube-system")
DEPLOYMENTS = paths.inside("kube-system", "deployments")
DAEMONSETS = paths.inside("kube-system", "daemonsets")


def _slice(family: str, *ready: bool) -> dict[str, Any]:
    endpoints = [{"addresses": ["x"], "conditions": {"ready": one}} for one in ready]
    labels = {"kubernetes.io/service-name": "kube-dns"}
    return {"metadata": {"labels": labels}, "addressType": family, "endpoints": endpoints}


def _deployment(wanted: int, ready: int, labels: dict[str, str] = DNS) -> dict[str, Any]:
    return {
        "metadata": {"name": "coredns"},
        "spec": {
            "replicas": wanted,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}},
        },
        "status": {"readyReplicas": ready} if ready else {},
    }


def _pod(owner: str, *, ready: bool) -> dict[str, Any]:
    return {
        "metadata": {"ownerReferences": [{"uid": owner}]},
        "status": {"conditions": [{"type": "Ready", "status": str(ready)}]},
    }


def _agent(name: str, *, host: bool = True) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "kube-system", "uid": name}
    return {"metadata": metadata, "spec": {"template": {"spec": {"hostNetwork": host}}}}


def _node(name: str, **conditions: str) -> dict[str, Any]:
    found = [{"type": key, "status": status, "reason": "r"} for key, status in conditions.items()]
    return {"metadata": {"name": name}, "status": {"conditions": found}}


@pytest.fixture
def api() -> FakeApi:
    """A cluster in order: a DNS Service with two servers, two nodes with kube-proxy."""
    api = FakeApi()
    spec = {"clusterIPs": ["fd00::a", "10.0.0.10"], "selector": DNS}
    metadata = {"name": "kube-dns", "namespace": "kube-system"}
    api.lists = {
        paths.ALL_SERVICES: [{"metadata": metadata, "spec": spec}],
        SLICES: [_slice("IPv6", True, True), _slice("IPv4", True, True)],
        DEPLOYMENTS: [_deployment(2, 2), _deployment(3, 0, {"app": "other"})],
        DAEMONSETS: [],
        paths.NODES: [_node("n1", Ready="True", DiskPressure="False")],
        paths.ALL_DAEMONSETS: [_agent("kube-proxy"), _agent("logs", host=False)],
        paths.ALL_PODS: [_pod("kube-proxy", ready=True)],
    }
    return api


def _texts(api: FakeApi) -> list[str]:
    found = findings(api, addresses={"fd00::a"}, nodes={"n1"})
    assert all(finding.look.startswith("kubectl ") for finding in found)
    return [finding.text for finding in found]


def test_of_what_is_in_order_nothing_is_told(api: FakeApi) -> None:
    assert _texts(api) == []


def test_an_address_of_no_service_is_told(api: FakeApi) -> None:
    asked = {"fd00::a", "fd00::dead", "2001:db8::1"}

    found = findings(api, addresses=asked, nodes=(), service_cidrs=["fd00::/112", "10.0.0.0/16"])

    assert [finding.text for finding in found] == ["no Service has fd00::dead"]


def test_a_service_of_ours_that_has_no_endpoints_on_purpose_is_not_told(api: FakeApi) -> None:
    api.lists[SLICES] = []
    (service,) = api.lists[paths.ALL_SERVICES]
    service["metadata"]["labels"] = {"ipv6k8s/run": "abc"}
    service["spec"]["selector"] = {"ipv6k8s/role": "nobody"}

    assert _texts(api) == []


@pytest.mark.parametrize(
    ("path", "changed", "told"),
    [
        (SLICES, [], "Service kube-system/kube-dns has 0 of 0 IPv6 endpoints ready"),
        (
            SLICES,
            [_slice("IPv6", True, False), _slice("IPv4", True)],
            "Service kube-system/kube-dns has 1 of 2 IPv6 endpoints ready",
        ),
        (DEPLOYMENTS, [_deployment(0, 0)], "Deployment kube-system/coredns: 0 of 0 replicas ready"),
        (DEPLOYMENTS, [_deployment(2, 1)], "Deployment kube-system/coredns: 1 of 2 replicas ready"),
        (paths.NODES, [_node("n1", Ready="Unknown")], "node n1: Ready is Unknown (r)"),
        (
            paths.NODES,
            [_node("n1", NetworkUnavailable="True")],
            "node n1: NetworkUnavailable is True (r)",
        ),
        (paths.ALL_PODS, [], "DaemonSet kube-system/kube-proxy has no pod on node n1"),
        (
            paths.ALL_PODS,
            [_pod("kube-proxy", ready=False)],
            "DaemonSet kube-system/kube-proxy is not Ready on node n1",
        ),
    ],
)
def test_what_is_not_in_order_is_told(
    api: FakeApi, path: str, changed: list[dict[str, Any]], told: str
) -> None:
    api.lists[path] = changed

    assert _texts(api) == [told]


@pytest.mark.parametrize("code", [403, 404])
def test_what_may_not_be_read_is_not_told(api: FakeApi, code: int) -> None:
    for path in list(api.lists):
        del api.lists[path]
        api.validate(path, code)

    assert _texts(api) == []


def test_who_was_asked_nothing_and_nowhere_costs_nothing(api: FakeApi) -> None:
    assert findings(api, addresses=(), nodes=()) == ()
    assert api.asked == []


def test_the_root_comes_first_with_what_mends_it(api: FakeApi) -> None:
    api.lists[SLICES], api.lists[DEPLOYMENTS] = [], [_deployment(0, 0)]

    workload, endpoints = findings(api, addresses={"fd00::a"}, nodes=set())

    assert workload.text.startswith("Deployment")
    assert "`kubectl -n kube-system scale deployment coredns --replicas=2`" in workload.fix
    assert not endpoints.fix


@pytest.mark.parametrize(
    ("path", "changed", "fix"),
    [
        (DEPLOYMENTS, [_deployment(2, 1)], "describe pods -l k8s-app=kube-dns"),
        (paths.NODES, [_node("n1", Ready="False")], "Bring node n1 back"),
        (paths.ALL_PODS, [], "--field-selector spec.nodeName=n1"),
    ],
)
def test_what_is_not_ready_is_told_how_to_mend(
    api: FakeApi, path: str, changed: list[Any], fix: str
) -> None:
    api.lists[path] = changed

    (found,) = findings(api, addresses={"fd00::a"}, nodes={"n1"})

    assert fix in found.fix


def test_a_node_without_a_route_is_named_with_what_mends_it() -> None:
    (found,) = without_route(["n1", "n1"])

    assert found.text == "node n1 has no route there (ENETUNREACH)"
    assert "a default route is enough" in found.fix
