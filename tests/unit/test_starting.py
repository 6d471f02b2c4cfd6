"""What does not start or is refused costs a node or an object, and the run only where it is all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_ipv6k8s.errors import ClusterError, ConfigError
from pytest_ipv6k8s.kube.client import ApiError
from pytest_ipv6k8s.probe import removing
from pytest_ipv6k8s.probe.placing import LeftOut
from pytest_ipv6k8s.probe.probes import has_peer
from tests.unit.clock import Clock
from tests.unit.cluster_api import NAMESPACES, ClusterApi
from tests.unit.test_deploy import INSIDE, PLAN, deployed, plan_with

IMAGE = {"reason": "ErrImagePull", "message": "no such\n host"}
PULLING = {"containerStatuses": [{"state": {"waiting": IMAGE}}]}
FULL = {
    "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no CPU"}
    ]
}
REFUSED = {"phase": "Failed", "reason": "OutOfpods", "message": "Node didn't have enough"}
CREATING = {"containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}]}


@pytest.mark.parametrize(
    ("plight", "why", "seconds"),
    [
        (PULLING, "not ready within 90 s: ErrImagePull no such host", 90),
        (CREATING, "not ready within 90 s: FailedCreatePodSandBox: no cni0", 90),
        (FULL, "Unschedulable no CPU", 20),
        (REFUSED, "OutOfpods Node didn't have enough", 0),
    ],
    ids=["image", "sandbox", "full-node", "kubelet-refuses"],
)
def test_a_probe_that_does_not_start_costs_its_node(
    clock: Clock, plight: dict[str, Any], why: str, seconds: float
) -> None:
    api = ClusterApi()
    api.status_of["probe-01"] = plight
    fill = api.fill

    def with_event(name: str) -> None:
        fill(name)
        event = {"reason": "FailedCreatePodSandBox", "message": "no cni0"}
        api.lists[f"{NAMESPACES}/{name}/events"] = [{"metadata": {"name": "e"}, **event}]

    api.fill = with_event  # type: ignore[method-assign]

    made = deployed(api)

    assert made.left_out == (LeftOut(node="node-b", reason=why),)
    assert [pod.name for pod in made.pods] == ["probe-00", "probe-peer"]
    assert [pod.name for pod in made.hosts] == ["host-00"]
    left = [pod["metadata"]["name"] for pod in api.lists[f"{INSIDE}/pods"]]
    assert left == ["probe-00", "probe-peer"]
    assert sum(clock.slept) == pytest.approx(seconds, abs=0.5)


SANDBOX = "a" * 64
NO_NETWORK = {
    "containerd": (
        "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network "
        f'for sandbox "{SANDBOX}": plugin type="flannel" failed (add): no subnet.env',
        'failed to setup network for sandbox: plugin type="flannel" failed (add): no subnet.env',
    ),
    "CRI-O": (
        "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to create pod "
        f"network sandbox k8s_p_n_u_0({SANDBOX}): error adding pod n_p to CNI network",
        "failed to create pod network sandbox: error adding pod n_p to CNI network",
    ),
    "cri-dockerd": (
        "Failed to create pod sandbox: rpc error: code = Unknown desc = [failed to set up sandbox "
        'container "x" network for pod "p": networkPlugin cni failed to set up pod "p_n" network',
        '[failed to set up sandbox container "x" network for pod "p": networkPlugin cni failed '
        'to set up pod "p_n" network',
    ),
}
OTHERWISE = {
    "pause image": (
        "FailedCreatePodSandBox",
        "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox "
        'image "registry.k8s.io/pause:3.10": failed to pull image',
    ),
    "volume": ("FailedMount", "network volume failed to setup network for sandbox"),
}


def _one_event(reason: str, message: str) -> ClusterApi:
    """Return a cluster whose second probe does not start, for what its last event says."""
    api = ClusterApi()
    api.status_of["probe-01"] = CREATING
    fill = api.fill

    def with_events(name: str) -> None:
        fill(name)
        last = {"reason": reason, "message": message, "lastTimestamp": "2026-01-02T00:00:00Z"}
        first = {"reason": "Early", "message": "", "lastTimestamp": "2026-01-01T00:00:00Z"}
        events = [{"metadata": {"name": "e"}, **event} for event in (last, first)]
        api.lists[f"{NAMESPACES}/{name}/events"] = events

    api.fill = with_events  # type: ignore[method-assign]
    return api


@pytest.mark.parametrize("runtime", NO_NETWORK)
def test_a_node_that_cannot_connect_a_probe_is_told_from_others(clock: Clock, runtime: str) -> None:
    message, told = NO_NETWORK[runtime]

    (left_out,) = deployed(_one_event("FailedCreatePodSandBox", message)).left_out

    assert left_out.unconnected
    assert left_out.reason == f"not ready within 90 s: FailedCreatePodSandBox: {told}"


@pytest.mark.parametrize("case", OTHERWISE)
def test_what_is_not_its_network_is_no_fault_of_the_nodes(clock: Clock, case: str) -> None:
    (left_out,) = deployed(_one_event(*OTHERWISE[case])).left_out

    assert not left_out.unconnected


def test_second_probes_are_made_where_they_are_used_only(clock: Clock) -> None:
    api, plan = ClusterApi(), replace(PLAN, peers=False, host_network=False)

    assert [pod.name for pod in deployed(api, plan).pods][-1] == "probe-peer"
    assert (deployed(ClusterApi(), plan).peers, deployed(ClusterApi(), plan).hosts) == ((), ())
    api = ClusterApi()
    api.status_of["probe-peer"] = REFUSED
    assert [pod.name for pod in deployed(api, plan).pods] == [
        "probe-01",
        "probe-00",
        "probe-peer-01",
    ]


def test_the_peer_goes_where_there_is_room_for_two(clock: Clock) -> None:
    api = ClusterApi()
    api.status_of["probe-peer"] = REFUSED

    made = deployed(api)

    assert [(pod.name, pod.node) for pod in made.pods] == [
        ("probe-01", "node-b"),
        ("probe-00", "node-a"),
        ("probe-peer-01", "node-b"),
    ]
    assert (made.peers, made.left_out) == ((), ())
    assert len(made.lacking) == 1


QUOTA = "pods is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1"


def test_a_quota_with_room_for_one_pod_leaves_one_probe(clock: Clock) -> None:
    api = ClusterApi()
    api.refuse = lambda body: (
        QUOTA if body["kind"] == "Pod" and body["metadata"]["name"] != "probe-01" else ""
    )

    made = deployed(api)

    assert [pod.name for pod in made.pods] == ["probe-01"]
    assert (made.hosts, made.peers) == ((), ())
    assert [one.node for one in made.left_out] == ["node-a"]
    assert not has_peer(made.pods)


def test_a_probe_that_cannot_be_asked_costs_its_node() -> None:
    made = deployed(
        ClusterApi(), trouble=lambda pod: "cannot be asked: no" if pod.node == "node-a" else ""
    )

    assert made.left_out == (LeftOut(node="node-a", reason="cannot be asked: no"),)
    assert {pod.node for pod in (*made.pods, *made.hosts)} == {"node-b"}
    assert [pod.name for pod in made.pods] == ["probe-01", "probe-peer-01"]


@pytest.mark.parametrize(
    ("plight", "refusal", "words", "remedy"),
    [
        (PULLING, "", "node-a, node-b (not ready within 90 s: ErrImage", "--ipv6k8s-probe-image"),
        (REFUSED, "", "OutOfpods", "kubectl describe pod"),
        (None, QUOTA, "exceeded quota", "make room"),
        (None, "denied the request: label team is missing", "label team", "--ipv6k8s-label"),
    ],
    ids=["image", "kubelet", "quota", "admission"],
)
def test_a_run_ends_where_no_probe_runs_at_all(
    clock: Clock, plight: dict[str, Any] | None, refusal: str, words: str, remedy: str
) -> None:
    api = ClusterApi()
    api.pod_status = plight
    api.refuse = lambda body: refusal if body["kind"] == "Pod" else ""

    with pytest.raises(ClusterError, match="no probe runs") as caught:
        deployed(api)

    assert words in caught.value.problem
    assert remedy in caught.value.remedy


def test_a_service_or_a_namespace_that_is_refused_is_done_without() -> None:
    api = ClusterApi()
    api.refuse = lambda body: (
        "denied"
        if body["metadata"]["name"].endswith("-host")
        or body.get("spec", {}).get("type") == "NodePort"
        else ""
    )

    made = deployed(api)

    assert "nodeport" not in {service.name for service in made.services}
    assert (len(made.services), made.hosts) == (6, ())
    assert len(made.lacking) == 2


def test_a_given_namespace_is_filled_and_left(clock: Clock) -> None:
    api = ClusterApi()
    api.lists[NAMESPACES] = [{"metadata": {"name": "given"}}]
    api.fill("given")
    foreign = {"metadata": {"name": "foreign"}, "status": {}}
    inside = f"{NAMESPACES}/given"
    for kind in ("pods", "services", "configmaps", "secrets"):
        api.lists.setdefault(f"{inside}/{kind}", []).append(foreign)

    made = deployed(api, replace(PLAN, given="given"))

    assert {pod.namespace for pod in (*made.pods, *made.hosts)} == {"given"}
    removing.remove_inside(api, "given", "abc")
    assert api.lists[NAMESPACES] == [{"metadata": {"name": "given"}}]
    left = [api.lists[f"{inside}/{kind}"] for kind in ("pods", "services", "secrets")]
    assert left == [[foreign]] * 3


@pytest.mark.parametrize(
    ("kind", "name"),
    [("pods", "probe-00"), ("services", "every"), ("configmaps", "ipv6k8s-agent")],
)
def test_an_object_with_a_name_of_ours_is_named(kind: str, name: str) -> None:
    api = ClusterApi()
    api.lists[NAMESPACES] = [{"metadata": {"name": "given"}}]
    api.fill("given")
    create = api.create

    def exists(path: str, body: Any, **query: str) -> Any:
        if path.endswith(f"/{kind}") and body["metadata"]["name"] == name:
            raise ApiError("already exists", code=409)
        return create(path, body, **query)

    api.create = exists  # type: ignore[method-assign]

    with pytest.raises(ConfigError, match=f"namespace given has a .* called {name}"):
        deployed(api, replace(PLAN, given="given"))


def test_a_given_namespace_that_is_not_there_is_told() -> None:
    with pytest.raises(ConfigError, match="there is no namespace given"):
        deployed(ClusterApi(), replace(PLAN, given="given"))


def test_a_pod_bears_what_operators_and_meshes_want() -> None:
    plan = plan_with(
        labels=(("team", "net"), ("ipv6k8s/run", "forged")),
        annotations=(("owner", "me"),),
        priority_class="low",
        limits=(("cpu", "2"),),
    )
    api = ClusterApi()

    deployed(api, plan)

    pod, namespace = api.lists[f"{INSIDE}/pods"][0], api.lists[NAMESPACES][0]
    for metadata in (pod["metadata"], namespace["metadata"]):
        assert metadata["labels"]["team"] == "net"
        assert metadata["labels"]["ipv6k8s/run"] == "abc"
        assert metadata["annotations"]["owner"] == "me"
    assert pod["metadata"]["labels"]["sidecar.istio.io/inject"] == "false"
    assert pod["metadata"]["annotations"]["linkerd.io/inject"] == "disabled"
    assert pod["spec"]["priorityClassName"] == "low"
    (container,) = pod["spec"]["containers"]
    assert container["resources"]["limits"] == {"cpu": "2", "memory": "512Mi"}
    tolerated = {one["key"] for one in pod["spec"]["tolerations"]}
    assert tolerated == {
        "node-role.kubernetes.io/control-plane",
        "node.kubernetes.io/unschedulable",
        "node-role.kubernetes.io/master",
    }
