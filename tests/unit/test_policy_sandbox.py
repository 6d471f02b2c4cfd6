"""A sandbox is made and taken away, and policies stand in it no longer than they should."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.agent.ops import identity, tcp_connect
from pytest_ipv6k8s.errors import ControlChannelError, Inconclusive
from pytest_ipv6k8s.expectations import Unmet
from pytest_ipv6k8s.kube import objects
from pytest_ipv6k8s.kube.client import ApiError, Cause, Outcome
from pytest_ipv6k8s.kube.inventory import Node
from pytest_ipv6k8s.netpol import sandbox
from pytest_ipv6k8s.netpol.sandbox import PolicySandbox
from pytest_ipv6k8s.netpol.truth_table import expect_isolation, tcp
from pytest_ipv6k8s.probe import deploy, removing
from pytest_ipv6k8s.probe.probes import ProbePod
from tests.unit.clock import Clock
from tests.unit.cluster_api import NAMESPACES, ClusterApi

NAMES = ("ipv6k8s-abc-policy-gw1", "ipv6k8s-abc-policy-gw1-elsewhere")


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


PLAN = deploy.Plan(
    run_id="abc",
    manner=objects.Manner(image="p:1"),
    stack=Stack.DUAL,
    nodes=(_node("a"), _node("b")),
    host_network=False,
)


class PolicyApi(ClusterApi):
    """Keeps NetworkPolicies, or refuses them."""

    def __init__(self) -> None:
        super().__init__()
        self.refuses = False

    def try_create(self, path: str, body: Any, *, dry_run: bool = True) -> Outcome:
        """Admit a policy, or not."""
        if self.refuses:
            cause = Cause(field="spec", reason="FieldValueInvalid", message="no")
            return Outcome(code=422, object={}, message="no", causes=(cause,))
        self.create(path, body, **({"dryRun": "All"} if dry_run else {}))
        return Outcome(code=201, object=body)


@pytest.fixture
def api() -> PolicyApi:
    """An API server with a sandbox's lists of policies."""
    api = PolicyApi()
    for name in NAMES:
        api.lists[f"/apis/networking.k8s.io/v1/namespaces/{name}/networkpolicies"] = []
    return api


@pytest.fixture
def made(api: PolicyApi) -> PolicySandbox:
    """A sandbox in which everybody answers everybody."""
    pods = sandbox.build(api, PLAN, "gw1")

    def source(pod: ProbePod) -> Any:
        def answer(requests: Sequence[Any]) -> list[Any]:
            return [tcp_connect.Answer(connected=True, pod="server-a") for _ in requests]

        return answer

    return PolicySandbox(api, pods, source, convergence=1)


def _policies(api: PolicyApi) -> list[str]:
    path = f"/apis/networking.k8s.io/v1/namespaces/{NAMES[0]}/networkpolicies"
    return [item["metadata"]["name"] for item in api.lists[path]]


def test_a_sandbox_has_five_pods_on_two_nodes_in_two_namespaces(api: PolicyApi) -> None:
    pods = sandbox.build(api, PLAN, "gw1")

    assert [(pod.name, pod.node, pod.namespace) for pod in pods.pods] == [
        ("server-a", "a", NAMES[0]),
        ("server-b", "b", NAMES[0]),
        ("allowed", "a", NAMES[0]),
        ("denied", "b", NAMES[0]),
        ("outsider", "a", NAMES[1]),
    ]
    assert (pods.namespace, pods.elsewhere) == NAMES
    assert pods.service.name == "servers"


def test_a_sandbox_is_restricted_and_bears_the_label_of_its_run(api: PolicyApi) -> None:
    sandbox.build(api, PLAN, "gw1")

    for namespace in api.lists[NAMESPACES]:
        labels = namespace["metadata"]["labels"]
        assert labels[objects.RUN_LABEL] == "abc"
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    (first, *_) = api.lists[f"{NAMESPACES}/{NAMES[0]}/pods"]
    ports = {
        port["name"]: port["containerPort"] for port in first["spec"]["containers"][0]["ports"]
    }
    assert ports == {"http": 8080, "tcp": 8081, "udp": 8082}


def test_one_node_is_enough(api: PolicyApi) -> None:
    pods = sandbox.build(api, replace(PLAN, nodes=PLAN.nodes[:1]), "gw1")

    assert {pod.node for pod in pods.pods} == {"a"}


def test_another_node_is_tried_when_the_first_takes_no_pods(api: PolicyApi) -> None:
    create = api.create

    def refuse(path: str, body: Any, **query: str) -> Any:
        if path.endswith("/pods") and "'full'" in str(body["spec"]["affinity"]):
            raise ApiError("exceeded quota", code=403)
        return create(path, body, **query)

    api.create = refuse  # type: ignore[method-assign]
    pods = sandbox.build(api, replace(PLAN, nodes=(_node("full"), *PLAN.nodes[1:])), "gw1")

    assert {pod.node for pod in pods.pods} == {"b"}
    assert [node.name for node in pods.plan.nodes] == ["b"]


def test_nothing_of_a_sandbox_is_left(api: PolicyApi) -> None:
    sandbox.remove(api, sandbox.build(api, PLAN, "gw1"))

    assert api.lists[NAMESPACES] == []


def test_a_killed_run_s_sandbox_goes_with_the_other_namespaces_of_the_run(api: PolicyApi) -> None:
    sandbox.build(api, PLAN, "gw1")

    assert removing.reap(api) == (sorted(NAMES), [])


def test_policies_are_named_after_check_and_worker_and_go_in_the_end(
    api: PolicyApi, made: PolicySandbox
) -> None:
    with (
        pytest.raises(KeyError),
        made.policies.applied([made.policies.new("POL-99-deny", ingress=[])]),
    ):
        assert _policies(api) == ["pol-99-deny-gw1"]
        raise KeyError

    assert _policies(api) == []


def test_a_policy_says_which_directions_it_isolates(made: PolicySandbox) -> None:
    both = made.policies.new("POL-99", ingress=[], egress=[{}])["spec"]

    assert both == {
        "podSelector": {"matchLabels": {}},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [],
        "egress": [{}],
    }
    assert made.policies.new("POL-99", egress=[])["spec"]["policyTypes"] == ["Egress"]


def test_a_refused_policy_is_not_met(api: PolicyApi, made: PolicySandbox) -> None:
    api.refuses = True

    with (
        pytest.raises(Unmet, match="expected an accepted policy"),
        made.policies.applied([made.policies.new("POL-99", ingress=[])]),
    ):
        pass


def test_a_policy_of_somebody_else_makes_a_check_inconclusive(
    api: PolicyApi, made: PolicySandbox
) -> None:
    path = f"/apis/networking.k8s.io/v1/namespaces/{NAMES[1]}/networkpolicies"
    api.lists[path] = [{"metadata": {"name": "foreign"}}]

    with pytest.raises(Inconclusive, match=f"there is a NetworkPolicy already: {NAMES[1]}/foreign"):
        expect_isolation(made, [], [])


def test_flows_that_are_shut_without_a_policy_make_a_check_inconclusive(
    made: PolicySandbox,
) -> None:
    made.convergence = 0.1
    (family, _) = Stack.DUAL.families
    flows = tcp([made.allowed], made.servers, family, opens=True)

    with pytest.raises(Inconclusive, match=r"control matrix does not hold \(see POL-00\)"):
        expect_isolation(made, [], flows)


def test_a_cell_says_what_it_had_to_be(made: PolicySandbox) -> None:
    made.convergence, made.enforced = 0.1, True
    (family, _) = Stack.DUAL.families
    flows = tcp([made.allowed], made.servers[:1], family, opens=False)

    with pytest.raises(Unmet, match="0 flows get through and 1 are shut") as caught:
        expect_isolation(made, [made.policies.new("POL-99", ingress=[])], flows)

    (actual,) = caught.value.actual
    assert actual.startswith("has to be shut: pod allowed (node a) → 10.1.0.1:8081")


def test_agents_are_greeted_until_they_answer(api: PolicyApi, clock: Clock) -> None:
    pods, asked = sandbox.build(api, PLAN, "gw1"), []

    def source(pod: ProbePod) -> Any:
        def answer(requests: Sequence[Any]) -> list[Any]:
            asked.append(pod.name)
            if asked.count(pod.name) < 2:
                raise ControlChannelError("no answer in time")
            return [identity.Answer(pod="", node="", python="3", kernel="6", time=0.0)]

        return answer

    PolicySandbox(api, pods, source, convergence=1).wait_for_agents()

    assert asked == [pod.name for pod in pods.pods for _ in range(2)]
    assert not api.recorder.take()


def test_a_sandbox_uses_no_right_that_is_not_printed(api: PolicyApi, made: PolicySandbox) -> None:
    from tests.unit.test_rights import _granted, _right

    with made.fresh_pod("POL-99", "server", probed=True) as fresh:
        assert made.readiness(fresh).answer.ready
    made.policies.require_none()
    made.policies.delete(made.policies.new("POL-99"))

    used = {_right(verb, path) for verb, path in api.asked if "openshift" not in path}
    assert used - _granted() == set()
    assert not re.search("pol-99", str(api.lists[f"{NAMESPACES}/{NAMES[0]}/pods"]))
