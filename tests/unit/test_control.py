"""The instrument is looked at before and while a cluster is judged with it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.agent import wire
from pytest_ipv6k8s.agent.ops import identity, network_state, own_server, tcp_connect
from pytest_ipv6k8s.agent.ports import CLOSED_PORT
from pytest_ipv6k8s.errors import ClusterError, ControlChannelError
from pytest_ipv6k8s.evidence import Recorder
from pytest_ipv6k8s.kube.client import ApiError
from pytest_ipv6k8s.probe import control
from pytest_ipv6k8s.probe.probes import Probe, ProbePod, Probes
from tests.unit.clock import Clock
from tests.unit.fake_api import FakeApi

BOTH = (Family.V4, Family.V6)
PODS = "/api/v1/namespaces/n/pods"
HELLO = identity.Answer(pod="p", node="n", python="3", kernel="6", time=0.0)
STATE = network_state.Answer(
    addresses=(),
    routes=(),
    neighbours=(),
    nameservers=(),
    search=("n.svc.example.org", "svc.example.org", "example.org"),
    options=(),
    sysctls={},
    environment={},
)
Say = Callable[[ProbePod, Any], Any]


def _honest(pod: ProbePod, request: Any) -> Any:
    if isinstance(request, tcp_connect.Request):
        assert request.port == CLOSED_PORT
        return tcp_connect.Answer(connected=False, error="ECONNREFUSED")
    if isinstance(request, own_server.Request):
        return own_server.Answer(echoed=True)
    if isinstance(request, identity.Request):
        return replace(HELLO, time=time.time())
    return STATE


class Instrument:
    """Three probes and a host-network one; ``say`` answers, and may raise."""

    def __init__(self, say: Say = _honest) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.say = say
        names = ("probe-00", "probe-01", "probe-peer")
        self.probes = Probes([self._probe(name) for name in names], [self._probe("host-00")])

    def _probe(self, name: str) -> Probe:
        pod = ProbePod(
            name=name,
            namespace="n",
            node="node-1" if name == "probe-01" else "node",
            ips=("fd00::1",) if name == "probe-01" else ("10.0.0.1", "fd00::1"),
            host_ips=(),
            host_network=name.startswith("host"),
            uid=f"uid-{name}",
        )

        def ask(requests: Sequence[Any]) -> list[Any]:
            self.asked += [(name, request) for request in requests]
            return [self.say(pod, request) for request in requests]

        return Probe(pod, ask, Recorder())


def test_an_instrument_in_order_is_described() -> None:
    found = control.control(Instrument().probes, BOTH)

    assert found.negative == "5 closed ports refused"
    assert found.servers.startswith("3 servers answered; the nodes' clocks agree within 0.")
    assert found.domain == "example.org"


def test_only_families_that_a_pod_has_are_asked_for() -> None:
    instrument = Instrument()

    control.control(instrument.probes, BOTH)

    connects = [
        (n, r.address) for n, r in instrument.asked if wire.operation_of(r) == "tcp_connect"
    ]
    assert [address for name, address in connects if name == "probe-01"] == ["fd00::1"]


def test_a_silent_server_is_told(clock: Clock) -> None:
    def silent(pod: ProbePod, request: Any) -> Any:
        if isinstance(request, own_server.Request) and pod.name == "probe-01":
            return own_server.Answer(echoed=False, error="ECONNREFUSED")
        return _honest(pod, request)

    with pytest.raises(ClusterError, match=r"the probes do not work: .* in its pod") as caught:
        control.control(Instrument(silent).probes, BOTH)

    assert "probe-01" in str(caught.value)
    assert "--ipv6k8s-probe-image" in caught.value.remedy


def test_a_server_that_starts_late_is_waited_for(clock: Clock) -> None:
    started = clock.now + 3

    def late(pod: ProbePod, request: Any) -> Any:
        answer = _honest(pod, request)
        return replace(answer, echoed=clock.now >= started) if hasattr(answer, "echoed") else answer

    assert control.control(Instrument(late).probes, BOTH).servers.startswith("3 servers")


def test_a_closed_port_that_answers_spoils_every_answer() -> None:
    def open_everywhere(pod: ProbePod, request: Any) -> Any:
        if isinstance(request, tcp_connect.Request):
            return tcp_connect.Answer(connected=True, echoed=True)
        return _honest(pod, request)

    with pytest.raises(ClusterError, match=r"a closed port answered .* transparent proxy"):
        control.control(Instrument(open_everywhere).probes, BOTH)


@pytest.mark.parametrize("ahead", [100.0, -100.0])
def test_the_nodes_clocks_are_compared_with_each_other(ahead: float) -> None:
    def skewed(pod: ProbePod, request: Any) -> Any:
        answer = _honest(pod, request)
        off = 5000.0 + (ahead if pod.name == "probe-01" else 0.0)
        is_hello = isinstance(answer, identity.Answer)
        return replace(answer, time=answer.time + off) if is_hello else answer

    assert re.search(
        "agree within (99.9|100.0) s", control.control(Instrument(skewed).probes, BOTH).servers
    )


def test_the_usual_domain_is_taken_when_the_pod_names_none() -> None:
    def without(pod: ProbePod, request: Any) -> Any:
        answer = _honest(pod, request)
        return replace(answer, search=()) if isinstance(answer, network_state.Answer) else answer

    assert control.control(Instrument(without).probes, BOTH).domain == "cluster.local"


def _pod(name: str, **more: Any) -> dict[str, Any]:
    status = {"phase": "Running", "containerStatuses": [{"restartCount": 0}]}
    return {
        "metadata": {"name": name, "uid": f"uid-{name}", **more.pop("metadata", {})},
        "status": {**status, **more},
    }


def _api(*changed: dict[str, Any]) -> FakeApi:
    api = FakeApi()
    standing = {n: _pod(n) for n in ("probe-00", "probe-01", "probe-peer", "host-00", "stranger")}
    for pod in changed:
        standing[pod["metadata"]["name"]] = pod
    api.lists[PODS] = list(standing.values())
    return api


def test_probes_that_are_all_there_are_in_order() -> None:
    instrument = Instrument()

    assert control.out_of_order(_api(), instrument.probes) == ""
    greeted = {name for name, request in instrument.asked if isinstance(request, identity.Request)}
    assert greeted == {"probe-00", "probe-01", "probe-peer", "host-00"}


@pytest.mark.parametrize(
    "changed",
    [
        _pod("probe-01", metadata={"uid": "another"}),
        _pod("probe-01", metadata={"deletionTimestamp": "now"}),
        _pod("probe-01", phase="Failed"),
        _pod("probe-01", containerStatuses=[{"restartCount": 1}]),
    ],
    ids=["replaced", "being-deleted", "failed", "restarted"],
)
def test_a_probe_that_is_not_itself_any_more_is_named(changed: dict[str, Any]) -> None:
    said = control.out_of_order(_api(changed), Instrument().probes)

    assert said == "probe pods were deleted or restarted: probe-01"


def test_probes_that_are_gone_are_all_named() -> None:
    api = _api()
    api.lists[PODS] = [_pod("probe-01")]

    said = control.out_of_order(api, Instrument().probes)

    assert said.endswith(": host-00, probe-00, probe-peer")


def test_a_probe_that_cannot_be_asked_is_told() -> None:
    def broken(pod: ProbePod, request: Any) -> Any:
        raise ControlChannelError("exec into pod n/probe-00: no answer in time")

    said = control.out_of_order(_api(), Instrument(broken).probes)

    assert said == "the probes cannot be asked: exec into pod n/probe-00: no answer in time"


def test_a_server_that_hangs_is_named() -> None:
    def hung(pod: ProbePod, request: Any) -> Any:
        if isinstance(request, own_server.Request) and pod.name == "probe-01":
            return own_server.Answer(echoed=False, error="ETIMEDOUT")
        return _honest(pod, request)

    said = control.out_of_order(_api(), Instrument(hung).probes)

    assert said == "servers hang, in their own pods: probe-01"


def test_a_container_beside_ours_is_named() -> None:
    pod = _pod("probe-01")
    pod["spec"] = {"containers": [{"name": "agent"}, {"name": "istio-proxy"}]}

    said = control.out_of_order(_api(pod), Instrument().probes)

    assert said == "something put containers into our pods: istio-proxy"


DENY = [{"action": "Deny"}]
ALL: dict[str, Any] = {}
NETPOL, OURS = "networkpolicies", {"ipv6k8s/run": "abc"}
K8S, CALICO = f"networking.k8s.io/v1/namespaces/n/{NETPOL}", "projectcalico.org/v3"
ANP = "policy.networking.k8s.io/v1alpha1/adminnetworkpolicies"
CCNP = "cilium.io/v2/ciliumclusterwidenetworkpolicies"
GNP = f"{CALICO}/globalnetworkpolicies"
ACNP = "crd.antrea.io/v1beta1/clusternetworkpolicies"
IN_NS = {"matchLabels": {"k8s:io.kubernetes.pod.namespace": "n"}}
ELSEWHERE = {"matchLabels": {"k8s:io.kubernetes.pod.namespace": "other"}}
NOT_OURS = {"matchExpressions": [{"key": "app", "operator": "Exists"}]}


@pytest.mark.parametrize(
    ("path", "labels", "spec", "blamed"),
    [
        (K8S, {}, {"podSelector": ALL}, True),
        (K8S, OURS, {"podSelector": ALL}, False),
        (K8S, {}, {"podSelector": {"matchLabels": {"app": "web"}}}, False),
        (K8S, {}, {"podSelector": NOT_OURS}, False),
        (f"{CALICO}/namespaces/n/{NETPOL}", {}, {"selector": "all()"}, True),
        (GNP, {}, {"selector": "all()"}, True),
        ("crd.projectcalico.org/v1/globalnetworkpolicies", {}, {}, True),
        (GNP, {}, {"selector": "has(host-endpoint)"}, False),
        (GNP, {}, {"selector": "app == 'web' && all()"}, False),
        (GNP, {}, {"selector": "app == 'web' || all()"}, True),
        (GNP, {}, {"namespaceSelector": "kubernetes.io/metadata.name == 'kube-system'"}, False),
        (CCNP, {}, {"endpointSelector": ALL, "ingress": [{}]}, True),
        (CCNP, {}, {"endpointSelector": IN_NS, "egressDeny": [{}]}, True),
        (CCNP, {}, {"endpointSelector": ELSEWHERE, "ingress": [{}]}, False),
        (CCNP, {}, {"nodeSelector": ALL, "ingress": [{}]}, False),
        (CCNP, {}, {"ingress": [], "enableDefaultDeny": {"ingress": False}}, False),
        (ANP, {}, {"subject": {"namespaces": ALL}, "ingress": DENY}, True),
        (ANP, {}, {"subject": {"namespaces": ALL}, "ingress": [{"action": "Allow"}]}, False),
        (ANP, {}, {"subject": {"pods": {"podSelector": NOT_OURS}}, "egress": DENY}, False),
        (ACNP, {}, {"appliedTo": [{"namespaceSelector": ALL}], "egress": DENY}, True),
        (ACNP, {}, {"appliedTo": [{"podSelector": NOT_OURS}], "egress": DENY}, False),
    ],
)
def test_a_policy_of_others_is_named_where_it_may_isolate_our_pods(
    path: str, labels: dict[str, str], spec: dict[str, Any], blamed: bool
) -> None:
    api = _api()
    policy = {"metadata": {"name": "deny", "labels": labels}, "spec": spec}
    api.lists[f"/apis/{path}"] = [policy]

    said = control.out_of_order(api, Instrument().probes)

    assert ("policies of others isolate our pods:" in said) is blamed
    assert (" deny" in said) is blamed


@pytest.mark.parametrize("code", [403, 404, 503])
def test_policies_that_cannot_be_read_are_done_without(code: int) -> None:
    api = _api()
    for path in (K8S, ANP, CCNP, GNP, ACNP):
        api.singles[f"/apis/{path}"] = ApiError("no", code=code)

    assert control.out_of_order(api, Instrument().probes) == ""
    assert control.upon_probes(api, "n", "abc") == ""


def test_a_server_that_refuses_is_told() -> None:
    api = _api()
    api.validate(PODS, 500)

    assert control.out_of_order(api, Instrument().probes).startswith("the probes cannot be asked")


def test_a_container_without_processor_is_named() -> None:
    def throttled(pod: ProbePod, request: Any) -> Any:
        answer = _honest(pod, request)
        held = isinstance(request, identity.Request) and pod.name == "probe-01"
        return replace(answer, throttled=8.5) if held else answer

    said = control.out_of_order(_api(), Instrument(throttled).probes)

    assert said == (
        "containers were throttled for 2 s and more of the last 10: probe-01; "
        "raise --ipv6k8s-limit cpu"
    )
