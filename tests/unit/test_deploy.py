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
from pytest_ipv6k8s.errors import ConfigError, ControlChannelError
from pytest_ipv6k8s.kube import objects
from pytest_ipv6k8s.kube.client import ApiError
from pytest_ipv6k8s.kube.inventory import Node
from pytest_ipv6k8s.kube.objects import Manner
from pytest_ipv6k8s.probe import deploy, removing
from pytest_ipv6k8s.probe.deploy import Deployed, Plan
from pytest_ipv6k8s.probe.probes import ProbePod
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


def deployed(
    api: ClusterApi, plan: Plan = PLAN, trouble: Callable[[ProbePod], str] = lambda pod: ""
) -> Deployed:
    """Return what a plan comes to on a cluster."""
    return deploy.deploy(api, plan, trouble)


def plan_with(**changed: Any) -> Plan:
    """Return the plan, with pods made in another manner."""
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
    made = deployed(ClusterApi())

    assert [(pod.name, pod.node) for pod in made.pods] == [
        ("probe-00", "node-a"),
        ("probe-01", "node-b"),
        ("probe-peer", "node-a"),
    ]
    assert [(pod.name, pod.node, pod.host_network) for pod in made.hosts] == [
        ("host-00", "node-a", True),
        ("host-01", "node-b", True),
    ]
    assert [(pod.name, pod.node) for pod in made.peers] == [("peer-01", "node-b")]
    (first, *_) = made.pods
    assert (first.ips, first.host_ips) == (("fd00:1::1", "10.1.0.1"), ("fd00::1",))
    assert (first.uid, first.restarts, first.namespace) == ("uid-of-probe-00", 0, "ipv6k8s-abc")


def test_services_come_back_as_the_server_made_them() -> None:
    made = deployed(ClusterApi())

    services = {service.name: service for service in made.services}
    only = {"only-ipv4", "only-ipv6"}
    assert set(services) == {"every", "peer", "headless", "empty", "nodeport"} | only
    assert services["every"].cluster_ips == ("10.96.0.1", "fd00:96::1")
    assert services["only-ipv6"].families == (Family.V6,)
    assert {service.namespace for service in made.services} == {"ipv6k8s-abc"}


def test_without_host_network_there_is_one_restricted_namespace() -> None:
    api = ClusterApi()

    made = deployed(api, replace(PLAN, host_network=False))

    (namespace,) = api.lists[NAMESPACES]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert made.hosts == ()


def test_pods_end_by_themselves_whatever_becomes_of_their_run() -> None:
    api = ClusterApi()

    deployed(api)

    pods = api.lists[f"{INSIDE}/pods"]
    assert {pod["spec"]["activeDeadlineSeconds"] for pod in pods} == {6 * 3600}


def test_everything_that_is_made_carries_the_runs_label() -> None:
    api = ClusterApi()

    deployed(api)

    ours = [*api.lists[NAMESPACES], *api.lists[f"{INSIDE}/pods"], *api.lists[f"{INSIDE}/services"]]
    ours.append(api.lists[f"{INSIDE}/configmaps"][-1])
    assert {item["metadata"]["labels"]["ipv6k8s/run"] for item in ours} == {"abc"}


def test_the_agent_in_the_config_map_is_the_agent() -> None:
    api = ClusterApi()

    deployed(api)

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

    deployed(api, plan_with(pull_secret="ns/pull"))

    (copy,) = api.lists[f"{INSIDE}/secrets"]
    assert copy["metadata"] == {"name": "pull", "labels": objects.labels("abc")}
    assert copy["data"] == {".dockerconfigjson": "e30="}
    assert api.lists[f"{INSIDE}/pods"][0]["spec"]["imagePullSecrets"] == [{"name": "pull"}]


@pytest.mark.parametrize(
    ("secret", "words"), [("pull", "NAMESPACE/NAME"), ("ns/pull", "no Secret ns/pull")]
)
def test_a_pull_secret_that_is_not_there_is_named(secret: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        deployed(ClusterApi(), plan_with(pull_secret=secret))


def test_slices_that_never_fill_are_left_to_a_check(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = ClusterApi()
    fill = api.fill

    def without_slices(name: str) -> None:
        fill(name)
        api.lists[f"/apis/discovery.k8s.io/v1/namespaces/{name}/endpointslices"] = []

    monkeypatch.setattr(api, "fill", without_slices)

    assert deployed(api).pods
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


def test_a_server_that_is_away_may_come_back_before_clean_up_is_given_up(clock: Clock) -> None:
    api, ask = _with_namespaces(("n", "abc")), ClusterApi.items
    begun = clock.now

    def items(path: str, **query: str) -> list[Any]:
        if clock.now < begun + 40:
            raise ControlChannelError("API server cannot be reached")
        if clock.now < begun + 45:
            raise ApiError("it starts, and knows no right yet", code=403)
        return ask(api, path, **query)

    api.items = items  # type: ignore[method-assign]

    assert removing.remove(api, "abc") == []
    assert api.lists[NAMESPACES] == []


def test_a_server_that_goes_when_all_is_deleted_is_waited_for(clock: Clock) -> None:
    api, ask, asked = _with_namespaces(("n", "abc")), ClusterApi.items, list[str]()

    def items(path: str, **query: str) -> list[Any]:
        asked.append(path)
        if len(asked) == 3:
            raise ControlChannelError("the server hung up")
        return ask(api, path, **query)

    api.items = items  # type: ignore[method-assign]

    assert removing.remove(api, "abc") == []
    assert len(asked) == 4


def test_a_server_that_stays_away_is_told(clock: Clock) -> None:
    api = _with_namespaces(("n", "abc"))
    api.singles[NAMESPACES] = ControlChannelError("API server cannot be reached")

    with pytest.raises(ControlChannelError, match="cannot be reached"):
        removing.remove(api, "abc")

    assert sum(clock.slept) == pytest.approx(60, abs=2)


def test_a_namespace_whose_pods_we_may_not_see_goes_all_the_same() -> None:
    api = _with_namespaces(("n", "abc"))
    api.validate(f"{NAMESPACES}/n/pods", 403)

    assert removing.remove(api, "abc") == []
    assert api.lists[NAMESPACES] == []


def test_nothing_to_remove_is_fine() -> None:
    assert removing.remove(ClusterApi(), "abc") == []


def test_an_empty_namespace_is_not_waited_for(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = _with_namespaces(("slow", "abc"))
    delete = api.delete
    monkeypatch.setattr(
        api, "delete", lambda path, grace=None: delete(path) if "pods" in path else None
    )

    assert removing.remove(api, "abc") == []
    assert clock.slept == []


def test_a_namespace_that_is_being_deleted_was_not_left() -> None:
    api = _with_namespaces(("left", "1"), ("going", "2"))
    api.lists[NAMESPACES][1]["metadata"]["deletionTimestamp"] = "2026-11-26T06:00:00Z"

    assert removing.reap(api) == (["left"], [])


def test_namespaces_whose_pods_stay_are_named(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
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

    assert removing.reap(api) == (["a", "b"], ["stuck"])
    assert [item["metadata"]["name"] for item in api.lists[NAMESPACES]] == ["stuck", "default"]


def test_two_hundred_namespaces_are_waited_for_together(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = _with_namespaces(*((f"n{number}", str(number)) for number in range(200)))
    items, gone = api.lists[NAMESPACES], dict[str, float]()

    def listed(path: str, **query: str) -> list[Any]:
        there = [i for i in items if clock.now < gone.get(i["metadata"]["name"], clock.now + 1)]
        return there if path == NAMESPACES else []

    def delete(path: str, grace: int | None = None) -> None:
        gone.setdefault(path.rpartition("/")[2], clock.now + 5)

    monkeypatch.setattr(api, "items", listed)
    monkeypatch.setattr(api, "delete", delete)

    clean, left = removing.reap(api)

    assert (len(clean), left) == (200, [])
    assert sum(clock.slept) < 60


def test_a_run_that_goes_on_keeps_what_it_has() -> None:
    api, label = _with_namespaces(("left", "1"), ("used", "2")), {"ipv6k8s/run": "2"}
    pod = {"metadata": {"name": "probe", "namespace": "given", "labels": label}}
    api.lists["/api/v1/pods"] = api.lists[f"{NAMESPACES}/given/pods"] = [pod]

    assert removing.reap(api, going_on=["2"]) == (["left"], [])
    assert [item["metadata"]["name"] for item in api.lists[NAMESPACES]] == ["used"]
    assert api.lists[f"{NAMESPACES}/given/pods"] == [pod]


def test_what_a_killed_run_left_in_a_given_namespace_is_reaped_with_its_pull_secret() -> None:
    api, label = ClusterApi(), {"ipv6k8s/run": "abc"}
    api.lists[NAMESPACES] = [{"metadata": {"name": "given"}}]
    theirs = {"metadata": {"name": "theirs", "namespace": "given"}}
    for kind in ("pods", "services", "configmaps", "secrets"):
        ours = {"metadata": {"name": "ours", "namespace": "given", "labels": label}}
        api.lists[f"{NAMESPACES}/given/{kind}"] = [ours, theirs]
        api.lists[f"/api/v1/{kind}"] = [ours, theirs]

    assert removing.reap(api) == (["given"], [])
    left = [api.lists[f"{NAMESPACES}/given/{kind}"] for kind in ("pods", "secrets")]
    assert left == [[theirs], [theirs]]


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
