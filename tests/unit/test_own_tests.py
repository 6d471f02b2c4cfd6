"""What tests of applications use: Services and pods by name, families, guests, sentences."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ipv6k8s import assert_family
from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.agent.ops import lookup, tcp_connect
from pytest_ipv6k8s.errors import ClusterError, ConfigError, Inconclusive
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.expectations import Unmet
from pytest_ipv6k8s.kube.view import ClusterView
from pytest_ipv6k8s.probe import guests
from tests.unit.cluster_api import NAMESPACES, ClusterApi
from tests.unit.test_declaration import FACTS
from tests.unit.test_deploy import PLAN

SHOP = f"{NAMESPACES}/shop"
REFUSED = "pod p (node n, source fd00::5) → [fd00:96::7]:80"


def _view(**lists: list[dict[str, Any]]) -> ClusterView:
    api = ClusterApi()
    api.lists |= {f"{SHOP}/{kind}": found for kind, found in lists.items()}
    return ClusterView(api, FACTS, "n")


def test_a_service_is_found_by_its_namespace_and_name() -> None:
    spec = {
        "clusterIPs": ["10.96.0.7", "fd00:96::7"],
        "ipFamilies": ["IPv4", "IPv6"],
        "ports": [{"name": "web", "port": 80}, {"name": "tls", "port": 443}],
    }
    view = _view(services=[{"metadata": {"name": "my-app"}, "spec": spec}])

    service = view.service("shop/my-app")

    assert service.addresses == ("10.96.0.7", "fd00:96::7")
    assert service.address(Family.V6) == "fd00:96::7"
    assert service.families == (Family.V4, Family.V6)
    assert (service.port, service.ports["tls"], service.host) == (80, 443, "my-app.shop.svc")


def test_a_headless_service_has_no_address() -> None:
    spec = {"clusterIP": "None", "clusterIPs": ["None"]}
    view = _view(services=[{"metadata": {"name": "my-app"}, "spec": spec}])

    service = view.service("shop/my-app")

    assert service.addresses == ()
    with pytest.raises(Inconclusive, match="Service shop/my-app has no IPv6 address"):
        service.address(Family.V6)


@pytest.mark.parametrize(
    ("where", "remedy"),
    [("shop/other", "Namespace shop has none"), ("my-app", "Name it NAMESPACE/NAME")],
)
def test_a_service_that_is_not_there_is_named(where: str, remedy: str) -> None:
    with pytest.raises(ConfigError, match=f"there is no Service {where}. {remedy}"):
        _view(services=[]).service(where)


def test_a_service_that_is_missing_is_told_with_those_that_there_are() -> None:
    view = _view(services=[{"metadata": {"name": f"app-{n}"}} for n in range(7)])

    with pytest.raises(ConfigError) as caught:
        view.service("shop/my-app")

    said = "Namespace shop has app-0, app-1, app-2, app-3, app-4 and 2 more."
    assert str(caught.value) == f"there is no Service shop/my-app. {said}"
    inner = caught.traceback[1:]
    assert all(entry.ishidden(caught) for entry in inner)


def test_pods_are_found_by_namespace_and_labels() -> None:
    def pod(name: str, app: str) -> dict[str, Any]:
        metadata = {"name": name, "namespace": "shop", "labels": {"app": app}}
        return {"metadata": metadata, "spec": {}, "status": {"podIPs": [{"ip": "fd00::1"}]}}

    view = _view(pods=[pod("one", "my-app"), pod("two", "other")])

    (found,) = view.pods(namespace="shop", selector="app=my-app")

    assert (found.name, found.ips) == ("one", ("fd00::1",))


def _record(answer: Any) -> Record[Any]:
    return Record(source="p", request={}, answer=answer, path=REFUSED)


def test_a_record_is_a_sentence_where_pytest_shows_its_repr() -> None:
    record = _record(tcp_connect.Answer(connected=False, error="ECONNREFUSED"))

    assert repr(record) == str(record)
    assert repr(record).startswith(f"{REFUSED}: ")
    assert "error ECONNREFUSED" in repr(record)


@pytest.mark.parametrize(
    ("finding", "right"),
    [
        ("fd00::1", True),
        ("10.0.0.1", False),
        (_record(tcp_connect.Answer(connected=True, local="fd00::5")), True),
        (_record(tcp_connect.Answer(connected=False)), False),
        (_record(lookup.Answer(addresses=("fd00::1", "10.0.0.1"))), False),
    ],
)
def test_the_family_is_that_of_all_addresses(finding: Any, right: bool) -> None:
    if right:
        assert_family(finding, Family.V6)
        return
    with pytest.raises(Unmet, match="expected IPv6"):
        assert_family(finding, Family.V6)


def _with_namespace() -> ClusterApi:
    api = ClusterApi()
    api.fill("shop")
    return api


def test_a_guest_has_the_labels_that_a_policy_asks_for_and_leaves_nothing() -> None:
    api = _with_namespace()

    pod = guests.start(api, PLAN, "guest-1", namespace="shop", labels={"tier": "front"})

    (made,) = api.lists[f"{SHOP}/pods"]
    assert (pod.namespace, pod.name) == ("shop", "guest-1")
    assert made["metadata"]["labels"]["tier"] == "front"
    assert made["spec"]["volumes"][0]["configMap"]["name"] == "guest-1"

    guests.remove(api, "shop", "guest-1")

    assert api.lists[f"{SHOP}/pods"] == []
    assert [m["metadata"]["name"] for m in api.lists[f"{SHOP}/configmaps"]] == ["kube-root-ca.crt"]


def test_a_guest_that_is_refused_says_why() -> None:
    api = _with_namespace()
    api.refuse = lambda body: "no label team" if body["kind"] == "Pod" else ""

    with pytest.raises(ClusterError, match="no probe runs in namespace shop: refused: no label"):
        guests.start(api, PLAN, "guest-1", namespace="shop", labels={})
