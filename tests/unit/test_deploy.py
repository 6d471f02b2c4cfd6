"""Probes and Services are put on a cluster, and taken away; the agent is one file."""

from __future__ import annotations

import base64
import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.agent import wire
from pytest_ipv6k8s.errors import ClusterError, ConfigError
from pytest_ipv6k8s.kube import objects
from pytest_ipv6k8s.kube.client import ApiError
from pytest_ipv6k8s.kube.inventory import Node
from pytest_ipv6k8s.kube.objects import Manner
from pytest_ipv6k8s.probe import deploy, removing
from pytest_ipv6k8s.probe.deploy import Deployed, Plan
from pytest_ipv6k8s.probe.placing import LeftOut
from pytest_ipv6k8s.probe.probes import ProbePod, has_peer
from pytest_ipv6k8s.probe.zipapp import zipapp
from tests.unit.clock import Clock
from tests.unit.cluster_api import NAMESPACES, ClusterApi


def _node(name: str) -> Node:
    return Node(
        name=name,
        internal_ips=("fd00::1",),
        pod_cidrs=(),
        labels={},
        kubelet="v1",
        kernel="6",
        runtime="c",
    )


PLAN = Plan(
    run_id="abc",
    manner=Manner(image="probe:1"),
    stack=Stack.DUAL,
    nodes=(_node("node-a"), _node("node-b")),
    host_network=True,
)


def _deploy(
    api: ClusterApi, plan: Plan = PLAN, trouble: Callable[[ProbePod], str] = lambda pod: ""
) -> Deployed:
    return deploy.deploy(api, plan, trouble)


def _with(**changed: Any) -> Plan:
    return replace(PLAN, manner=replace(PLAN.manner, **changed))


INSIDE = f"{NAMESPACES}/{PLAN.namespace}"


def test_the_agent_has_the_same_bytes_each_time() -> None:
    assert zipapp() == zipapp()


def test_the_agent_is_complete_and_holds_nothing_else() -> None:
    folder = Path(wire.__file__).parent
    with zipfile.ZipFile(io.BytesIO(zipapp())) as archive:
        names = set(archive.namelist())
        dates = {item.date_time for item in archive.infolist()}
        ops = archive.read("pytest_ipv6k8s/agent/ops/identity.py")

    wanted = {f"pytest_ipv6k8s/agent/ops/{file.name}" for file in folder.glob("ops/*.py")}
    assert wanted < names
    assert {"__main__.py", "pytest_ipv6k8s/agent/main.py"} < names
    assert not [name for name in names if "deploy" in name or "session" in name]
    assert len(dates) == 1
    assert ops == (folder / "ops" / "identity.py").read_bytes()


def test_the_agent_fits_into_a_config_map() -> None:
    assert len(base64.b64encode(zipapp())) < 900_000


def test_one_probe_stands_on_each_node_and_the_peer_beside_the_first() -> None:
    deployed = _deploy(ClusterApi())

    assert [(pod.name, pod.node) for pod in deployed.pods] == [
        ("probe-00", "node-a"),
        ("probe-01", "node-b"),
        ("probe-peer", "node-a"),
    ]
    assert [(pod.name, pod.node, pod.host_network) for pod in deployed.hosts] == [
        ("host-00", "node-a", True),
        ("host-01", "node-b", True),
    ]
    assert [(pod.name, pod.node) for pod in deployed.peers] == [("peer-01", "node-b")]
    (first, *_) = deployed.pods
    assert (first.ips, first.host_ips) == (("fd00:1::1", "10.1.0.1"), ("fd00::1",))
    assert (first.uid, first.restarts, first.namespace) == ("uid-of-probe-00", 0, "ipv6k8s-abc")


def test_services_come_back_as_the_server_made_them() -> None:
    deployed = _deploy(ClusterApi())

    services = {service.name: service for service in deployed.services}
    only = {"only-ipv4", "only-ipv6"}
    assert set(services) == {"every", "peer", "headless", "empty", "nodeport"} | only
    assert services["every"].cluster_ips == ("10.96.0.1", "fd00:96::1")
    assert services["only-ipv6"].families == (Family.V6,)
    assert {service.namespace for service in deployed.services} == {"ipv6k8s-abc"}


def test_without_host_network_there_is_one_restricted_namespace() -> None:
    api = ClusterApi()

    deployed = _deploy(api, replace(PLAN, host_network=False))

    (namespace,) = api.lists[NAMESPACES]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert deployed.hosts == ()


def test_everything_that_is_made_carries_the_runs_label() -> None:
    api = ClusterApi()

    _deploy(api)

    ours = [*api.lists[NAMESPACES], *api.lists[f"{INSIDE}/pods"], *api.lists[f"{INSIDE}/services"]]
    ours.append(api.lists[f"{INSIDE}/configmaps"][-1])
    assert {item["metadata"]["labels"]["ipv6k8s/run"] for item in ours} == {"abc"}


def test_the_agent_in_the_config_map_is_the_agent() -> None:
    api = ClusterApi()

    _deploy(api)

    files = api.lists[f"{INSIDE}/configmaps"][-1]["binaryData"]
    assert base64.b64decode(files["agent.pyz"]) == zipapp()


def test_a_pull_secret_is_copied_without_its_history() -> None:
    api = ClusterApi()
    api.lists[f"{NAMESPACES}/ns/secrets"] = [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/dockerconfigjson",
            "metadata": {"name": "pull", "uid": "1", "namespace": "ns"},
            "data": {".dockerconfigjson": "e30="},
        }
    ]

    _deploy(api, _with(pull_secret="ns/pull"))

    (copy,) = api.lists[f"{INSIDE}/secrets"]
    assert copy["metadata"] == {"name": "pull", "labels": objects.labels("abc")}
    assert copy["data"] == {".dockerconfigjson": "e30="}
    assert api.lists[f"{INSIDE}/pods"][0]["spec"]["imagePullSecrets"] == [{"name": "pull"}]


@pytest.mark.parametrize(
    ("secret", "words"), [("pull", "NAMESPACE/NAME"), ("ns/pull", "no Secret ns/pull")]
)
def test_a_pull_secret_that_is_not_there_is_named(secret: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        _deploy(ClusterApi(), _with(pull_secret=secret))


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

    deployed = _deploy(api)

    assert deployed.left_out == (LeftOut(node="node-b", reason=why),)
    assert [pod.name for pod in deployed.pods] == ["probe-00", "probe-peer"]
    assert [pod.name for pod in deployed.hosts] == ["host-00"]
    left = [pod["metadata"]["name"] for pod in api.lists[f"{INSIDE}/pods"]]
    assert left == ["probe-00", "probe-peer"]
    assert sum(clock.slept) == pytest.approx(seconds, abs=0.5)


def test_the_peer_goes_where_there_is_room_for_two(clock: Clock) -> None:
    api = ClusterApi()
    api.status_of["probe-peer"] = REFUSED

    deployed = _deploy(api)

    assert [(pod.name, pod.node) for pod in deployed.pods] == [
        ("probe-01", "node-b"),
        ("probe-00", "node-a"),
        ("probe-peer-01", "node-b"),
    ]
    assert (deployed.peers, deployed.left_out) == ((), ())
    assert len(deployed.lacking) == 1


QUOTA = "pods is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1"


def test_a_quota_with_room_for_one_pod_leaves_one_probe(clock: Clock) -> None:
    api = ClusterApi()
    api.refuse = lambda body: (
        QUOTA if body["kind"] == "Pod" and body["metadata"]["name"] != "probe-01" else ""
    )

    deployed = _deploy(api)

    assert [pod.name for pod in deployed.pods] == ["probe-01"]
    assert (deployed.hosts, deployed.peers) == ((), ())
    assert [one.node for one in deployed.left_out] == ["node-a"]
    assert not has_peer(deployed.pods)


def test_a_probe_that_cannot_be_asked_costs_its_node() -> None:
    deployed = _deploy(
        ClusterApi(), trouble=lambda pod: "cannot be asked: no" if pod.node == "node-a" else ""
    )

    assert deployed.left_out == (LeftOut(node="node-a", reason="cannot be asked: no"),)
    assert {pod.node for pod in (*deployed.pods, *deployed.hosts)} == {"node-b"}
    assert [pod.name for pod in deployed.pods] == ["probe-01", "probe-peer-01"]


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
        _deploy(api)

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

    deployed = _deploy(api)

    assert "nodeport" not in {service.name for service in deployed.services}
    assert (len(deployed.services), deployed.hosts) == (6, ())
    assert len(deployed.lacking) == 2


def test_a_given_namespace_is_filled_and_left(clock: Clock) -> None:
    api = ClusterApi()
    api.lists[NAMESPACES] = [{"metadata": {"name": "given"}}]
    api.fill("given")
    foreign = {"metadata": {"name": "foreign"}, "status": {}}
    inside = f"{NAMESPACES}/given"
    for kind in ("pods", "services", "configmaps", "secrets"):
        api.lists.setdefault(f"{inside}/{kind}", []).append(foreign)

    deployed = _deploy(api, replace(PLAN, given="given"))

    assert {pod.namespace for pod in (*deployed.pods, *deployed.hosts)} == {"given"}
    removing.remove_inside(api, "given", "abc", secrets=True)
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
        _deploy(api, replace(PLAN, given="given"))


def test_a_given_namespace_that_is_not_there_is_told() -> None:
    with pytest.raises(ConfigError, match="there is no namespace given"):
        _deploy(ClusterApi(), replace(PLAN, given="given"))


def test_a_pod_bears_what_operators_and_meshes_want() -> None:
    plan = _with(
        labels=(("team", "net"), ("ipv6k8s/run", "forged")),
        annotations=(("owner", "me"),),
        priority_class="low",
        limits=(("cpu", "2"),),
    )
    api = ClusterApi()

    _deploy(api, plan)

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
        "node-role.kubernetes.io/master",
    }


def test_slices_that_never_fill_are_left_to_a_check(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = ClusterApi()
    fill = api.fill

    def without_slices(name: str) -> None:
        fill(name)
        api.lists[f"/apis/discovery.k8s.io/v1/namespaces/{name}/endpointslices"] = []

    monkeypatch.setattr(api, "fill", without_slices)

    assert _deploy(api).pods
    assert sum(clock.slept) == pytest.approx(15, abs=0.5)


def _namespace(name: str, run_id: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {"ipv6k8s/run": run_id}}}


def _with_namespaces(*namespaces: tuple[str, str]) -> ClusterApi:
    api = ClusterApi()
    for name, run_id in namespaces:
        api.lists[NAMESPACES].append(_namespace(name, run_id))
        api.lists[f"{NAMESPACES}/{name}/pods"] = [{"metadata": {"name": "p"}}]
    return api


def test_only_the_namespaces_of_the_run_are_removed() -> None:
    api = _with_namespaces(("ipv6k8s-abc", "abc"), ("ipv6k8s-abc-host", "abc"), ("other", "xyz"))
    api.lists[NAMESPACES].append({"metadata": {"name": "ipv6k8s-abc-of-somebody"}})

    assert removing.remove(api, "abc") == []

    left = [item["metadata"]["name"] for item in api.lists[NAMESPACES]]
    assert left == ["other", "ipv6k8s-abc-of-somebody"]


def test_pods_go_before_their_namespace() -> None:
    api = _with_namespaces(("n", "abc"))

    removing.remove(api, "abc")

    deleted = [path for verb, path in api.asked if verb == "delete"]
    assert deleted == [f"{NAMESPACES}/n/pods/p", f"{NAMESPACES}/n"]


def test_nothing_to_remove_is_fine() -> None:
    assert removing.remove(ClusterApi(), "abc") == []


def test_namespaces_that_stay_are_named(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    api = _with_namespaces(("stuck", "abc"))
    monkeypatch.setattr(api, "delete", lambda path, grace=None: None)

    assert removing.remove(api, "abc") == ["stuck"]
    assert sum(clock.slept) == pytest.approx(60, abs=0.5)


def test_namespaces_of_all_runs_are_reaped(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    api = _with_namespaces(("b", "1"), ("a", "2"), ("stuck", "3"))
    api.lists[NAMESPACES].append({"metadata": {"name": "default"}})
    delete = api.delete
    monkeypatch.setattr(
        api, "delete", lambda path, grace=None: None if "stuck" in path else delete(path)
    )

    assert removing.reap(api) == ["a", "b"]
    assert [item["metadata"]["name"] for item in api.lists[NAMESPACES]] == ["stuck", "default"]


def test_the_agent_runs_in_isolated_mode(tmp_path: Path) -> None:
    agent = tmp_path / "agent.pyz"
    agent.write_bytes(zipapp())

    done = subprocess.run(
        [sys.executable, "-I", agent, "dance"],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr == "usage: agent serve|wait|ask\n"
