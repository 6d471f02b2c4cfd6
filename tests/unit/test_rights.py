"""The rights that are printed, those that are missed, and those that a run really uses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.errors import ClusterError
from pytest_ipv6k8s.kube import rights
from pytest_ipv6k8s.kube.inventory import Node
from pytest_ipv6k8s.kube.objects import Manner
from pytest_ipv6k8s.probe import deploy, removing
from tests.unit.cluster_api import NAMESPACES, ClusterApi

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def _granted(*more: rights.Right) -> set[tuple[str, str, str]]:
    role = rights.manifest(more)[1]
    return {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_the_manifest_binds_an_account_to_just_these_rights() -> None:
    account, role, binding = yaml.safe_load_all(yaml.safe_dump_all(rights.manifest()))

    assert [item["kind"] for item in (account, role, binding)] == [
        "ServiceAccount",
        "ClusterRole",
        "ClusterRoleBinding",
    ]
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    (subject,) = binding["subjects"]
    assert (subject["kind"], subject["name"]) == ("ServiceAccount", account["metadata"]["name"])
    assert subject["namespace"] == account["metadata"]["namespace"]


def test_no_right_is_a_wildcard_or_changes_what_is_not_ours() -> None:
    granted = _granted()

    assert not [right for right in granted if "*" in right]
    assert not [right for right in granted if right[2] in ("update", "patch", "deletecollection")]
    assert not [right for right in granted if right[1] == "secrets"]


def _allow(api: ClusterApi, allowed: Any) -> None:
    def review(body: Mapping[str, Any]) -> dict[str, Any]:
        return {"status": {"allowed": allowed(body["spec"]["resourceAttributes"])}}

    api.on_create[REVIEWS] = review


def test_whoever_has_all_rights_may_go_on() -> None:
    api = ClusterApi()
    _allow(api, lambda attributes: True)

    rights.require(api)


def test_every_missing_right_is_named() -> None:
    api = ClusterApi()
    _allow(api, lambda a: not (a["subresource"] == "exec" or a["resource"] == "endpointslices"))

    with pytest.raises(ClusterError) as caught:
        rights.require(api)

    assert str(caught.value) == (
        "the user of context 'fake' may not: get pods/exec, create pods/exec, "
        "list endpointslices.discovery.k8s.io. Grant what `ipv6k8s rbac` prints."
    )


def test_a_right_that_we_can_do_without_is_not_missed() -> None:
    api = ClusterApi()
    optional = {(r.group, r.resource) for r in rights.RIGHTS if not r.required}
    _allow(api, lambda asked: (asked["group"], asked["resource"]) not in optional)

    rights.require(api)

    assert optional


def test_a_review_without_an_answer_is_a_refusal() -> None:
    api = ClusterApi()
    api.on_create[REVIEWS] = lambda body: {}

    with pytest.raises(ClusterError, match="get nodes"):
        rights.require(api)


NODE = Node(
    name="n",
    internal_ips=("fd00::1",),
    pod_cidrs=(),
    labels={},
    kubelet="v1",
    kernel="6",
    runtime="c",
)
PATH = re.compile(r"/(?:api|apis/(?P<group>[^/]+))/v1/(?:namespaces/[^/]+/)?(?P<resource>[a-z]+)")


def _right(verb: str, path: str) -> tuple[str, str, str]:
    found = PATH.match(path)
    assert found, path
    return (found["group"] or "", found["resource"], verb)


@pytest.mark.parametrize("given", [None, "given"])
@pytest.mark.parametrize("secret", [None, "ns/pull"])
def test_a_run_uses_no_right_that_is_not_printed(given: str | None, secret: str | None) -> None:
    api = ClusterApi()
    api.lists[NAMESPACES] = [{"metadata": {"name": "given"}}]
    api.fill("given")
    api.lists[f"{NAMESPACES}/ns/secrets"] = [{"metadata": {"name": "pull"}, "data": {}}]
    plan = deploy.Plan(
        run_id="abc",
        manner=Manner(image="p:1", pull_secret=secret),
        stack=Stack.DUAL,
        nodes=(NODE,),
        host_network=True,
        given=given,
    )

    deploy.deploy(api, plan, lambda pod: "")
    removing.remove(api, "abc")
    if given:
        removing.remove_inside(api, given, "abc")

    more = (*(rights.PULL_SECRET if secret else ()), *(rights.GIVEN_NAMESPACE if given else ()))
    used = {_right(verb, path) for verb, path in api.asked if "openshift" not in path}
    assert used - _granted(*more) == set()
