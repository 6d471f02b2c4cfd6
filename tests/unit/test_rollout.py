"""What is told of a cluster on which nothing comes up: the node or the pod, and its last words."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ipv6k8s.clusters import rollout
from pytest_ipv6k8s.errors import ClusterError
from tests.unit.clock import Clock
from tests.unit.fake_api import FakeApi

NODES = "/api/v1/nodes"
PODS = "/api/v1/namespaces/kube-system/pods"
DAEMONSETS = "/apis/apps/v1/namespaces/kube-system/daemonsets"
DEPLOYMENTS = "/apis/apps/v1/namespaces/kube-system/deployments"
NO_NETWORK = "container runtime network not ready: cni plugin not initialized"
LABELS = {"app": "net"}

pytestmark = pytest.mark.usefixtures("clock")


def _node(name: str, status: str = "True", message: str = "") -> dict[str, Any]:
    ready = {"type": "Ready", "status": status, "message": message}
    return {"metadata": {"name": name}, "status": {"conditions": [ready]}}


def _daemonset(*, generation: int = 1, available: int = 2, updated: int = 2) -> dict[str, Any]:
    status = {
        "observedGeneration": 1,
        "desiredNumberScheduled": 2,
        "updatedNumberScheduled": updated,
        "numberAvailable": available,
    }
    metadata = {"name": "net", "generation": generation, "labels": LABELS}
    return {"metadata": metadata, "status": status}


def _deployment(available: int = 1) -> dict[str, Any]:
    return {
        "metadata": {"name": "operator", "generation": 1, "labels": LABELS},
        "spec": {"replicas": 1},
        "status": {
            "observedGeneration": 1,
            "updatedReplicas": 1,
            "availableReplicas": available,
        },
    }


def _pod(name: str, *containers: dict[str, Any], ready: str = "False") -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": LABELS},
        "status": {
            "phase": "Pending",
            "conditions": [{"type": "Ready", "status": ready, "message": "not yet"}],
            "containerStatuses": list(containers),
        },
    }


def _container(state: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "agent", "ready": False, "state": state, **more}


WAITING = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image x"}}
CRASHED = {"waiting": {"reason": "CrashLoopBackOff"}}


def _api(**lists: list[dict[str, Any]]) -> FakeApi:
    api = FakeApi()
    paths = {"nodes": NODES, "pods": PODS, "daemonsets": DAEMONSETS, "deployments": DEPLOYMENTS}
    api.lists = {path: lists.get(kind, []) for kind, path in paths.items()}
    return api


def _install(api: FakeApi) -> None:
    rollout.workloads_ready(api, "The network", "app=net", timeout=60)


def test_nodes_that_are_ready_are_not_waited_for(clock: Clock) -> None:
    api = _api(nodes=[_node("a"), _node("b")])

    rollout.nodes_ready(api, timeout=60)

    assert clock.monotonic() == Clock().monotonic()


def test_a_node_without_a_network_is_named_with_its_conditions_message() -> None:
    api = _api(nodes=[_node("a"), _node("b", "False", NO_NETWORK), _node("c", "Unknown")])

    with pytest.raises(ClusterError) as caught:
        rollout.nodes_ready(api, timeout=60)

    assert caught.value.problem == (
        f"not every node is Ready after 60 s: node b: {NO_NETWORK}; "
        "node c: has not said anything yet"
    )
    assert "--ipv6k8s-keep" in caught.value.remedy


def test_a_node_that_is_ready_and_still_closed_to_pods_is_waited_for() -> None:
    taint = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
    node = {**_node("a"), "spec": {"taints": [taint]}}

    with pytest.raises(ClusterError, match="node a"):
        rollout.nodes_ready(_api(nodes=[node]), timeout=60)


def test_a_cluster_without_nodes_is_not_ready() -> None:
    with pytest.raises(ClusterError, match="there is no node"):
        rollout.nodes_ready(_api(), timeout=60)


def test_what_has_rolled_out_is_not_waited_for() -> None:
    _install(_api(daemonsets=[_daemonset()], deployments=[_deployment()]))


@pytest.mark.parametrize(
    ("kind", "item", "name"),
    [
        ("daemonsets", _daemonset(generation=2), "net"),
        ("daemonsets", _daemonset(available=1), "net"),
        ("daemonsets", _daemonset(updated=1), "net"),
        ("deployments", _deployment(available=0), "operator"),
    ],
)
def test_what_does_not_roll_out_is_named(kind: str, item: dict[str, Any], name: str) -> None:
    with pytest.raises(ClusterError) as caught:
        _install(_api(**{kind: [item]}))

    assert f"The network did not roll out within 60 s ({name}): it has no pods" in str(caught.value)
    assert "describe pods" in caught.value.remedy


def test_workloads_that_are_not_there_have_not_rolled_out() -> None:
    with pytest.raises(ClusterError, match=r"\(nothing is labelled app=net\)"):
        _install(_api())


@pytest.mark.parametrize(
    ("container", "log", "told"),
    [
        (_container(WAITING), "", "ImagePullBackOff Back-off pulling image x"),
        (
            _container(CRASHED, lastState={"terminated": {"exitCode": 3}}),
            "level=fatal\nno kernel\n",
            "CrashLoopBackOff exit code 3; it said: level=fatal no kernel",
        ),
        (
            _container({"running": {}}),
            "still waiting for CIDRs",
            "runs, and is not ready; it said: still waiting for CIDRs",
        ),
        (_container({"terminated": {"exitCode": 1}}), "", "exit code 1"),
    ],
)
def test_the_first_pod_that_is_not_ready_has_the_last_word(
    container: dict[str, Any], log: str, told: str
) -> None:
    api = FakeApi()
    fine = {"name": "init", "ready": False, "state": {"terminated": {"exitCode": 0}}}
    api.lists[PODS] = [_pod("net-a", ready="True"), _pod("net-b", fine, container)]
    api.logs[f"{PODS}/net-b/log"] = log

    assert rollout.last_words(api, "app=net") == f"pod net-b, container agent: {told}"


def test_a_pod_without_containers_tells_its_condition() -> None:
    api = _api(pods=[_pod("net-a")])

    assert rollout.last_words(api, "app=net") == "pod net-a is Pending: not yet"


def test_a_log_that_cannot_be_read_is_left_out() -> None:
    api = _api(pods=[_pod("net-a", _container(WAITING))])

    assert rollout.last_words(api, "app=net").endswith("Back-off pulling image x")


def test_pods_that_are_all_ready_say_nothing() -> None:
    api = _api(pods=[_pod("net-a", ready="True")])

    assert rollout.last_words(api, "app=net") == ""
