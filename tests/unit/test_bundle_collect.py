"""What goes into a bundle: objects, logs, probes, nodes; and how much time it may take."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_ipv6k8s.agent.ops import network_state, routing, tcp_connect
from pytest_ipv6k8s.bundle import cluster, nodes, probes
from pytest_ipv6k8s.bundle.bundles import write_now
from pytest_ipv6k8s.bundle.collect import Access, Collector, Failure
from pytest_ipv6k8s.bundle.gathering import gather
from pytest_ipv6k8s.errors import ControlChannelError
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.kube import paths
from pytest_ipv6k8s.kube.client import Object
from pytest_ipv6k8s.probe.probes import ProbePod, Transport
from pytest_ipv6k8s.timeouts import Timeouts
from tests.unit.fake_api import FakeApi
from tests.unit.test_bundle import contents

SYSTEM = "/api/v1/namespaces/kube-system"
STATE = network_state.Answer(
    addresses=(network_state.Address("eth0", "fd00::5", 64, "global", ("tentative",)),),
    routes=(network_state.Route("default", "IPv6", "fe80::1", "eth0"),),
    neighbours=(network_state.Neighbour("fe80::1", "eth0", "FAILED"),),
    nameservers=("fd00:96::a",),
    search=("svc.cluster.local",),
    options=("ndots:5",),
    sysctls={"net.ipv6.conf.all.disable_ipv6": "0"},
    environment={},
)
ROUTING = routing.Answer(
    routes=("-6 default via fe80::1 dev eth0 table main",), rules=("-6 0: from all lookup local",)
)
ANSWERS: dict[type, Any] = {network_state.Request: STATE, routing.Request: ROUTING}
ANSWER = tcp_connect.Answer(connected=False, local="", error="ETIMEDOUT", seconds=3.0)


def _pod(name: str, node: str, ip: str, *, host: bool = False) -> ProbePod:
    return ProbePod(name=name, namespace="n", node=node, ips=(ip,), host_ips=(), host_network=host)


PODS = (
    _pod("probe-00", "a", "fd00::5"),
    _pod("probe-01", "b", "fd00::6"),
    _pod("probe-02", "c", "fd00::7"),
    _pod("host-00", "a", "fd01::1", host=True),
    _pod("host-02", "c", "fd01::3", host=True),
)
FAILING: Record[Any] = Record(
    source="probe-00",
    request={"op": "tcp_connect", "address": "fd00::6", "port": 80, "timeout": 3.0},
    answer=ANSWER,
    path="a → b",
)


class Sessions:
    """Sessions with probes that answer, but for those that are dead."""

    def __init__(self, *dead: str) -> None:
        self.dead = dead
        self.asked: list[tuple[str, Any]] = []

    @contextmanager
    def connect(self, pod: ProbePod) -> Iterator[Transport]:
        def ask(requests: Sequence[Any]) -> list[Any]:
            if pod.name in self.dead:
                raise ControlChannelError(f"exec into pod {pod.name}: no answer in time")
            self.asked += [(pod.name, request) for request in requests]
            return [ANSWERS.get(type(request), ANSWER) for request in requests]

        yield ask


def _daemonset(name: str, host_path: str, config: str) -> Object:
    volumes = [{"hostPath": {"path": host_path}}, {"configMap": {"name": config}}]
    return {
        "metadata": {"name": name, "namespace": "kube-system"},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {"spec": {"volumes": volumes}},
        },
    }


def _system_pod(name: str, node: str, labels: dict[str, str], restarts: int = 0) -> Object:
    return {
        "metadata": {"name": name, "namespace": "kube-system", "labels": labels},
        "spec": {
            "nodeName": node,
            "volumes": [{"configMap": {"name": name.partition("-")[0]}}],
            "containers": [
                {"env": [{"name": "PASSWORD", "value": "hunter2"}], "args": ["--token", "hunter2"]}
            ],
        },
        "status": {"containerStatuses": [{"name": "main", "restartCount": restarts}]},
    }


def _dns_service() -> Object:
    spec = {"ports": [{"port": 53}], "selector": {"k8s-app": "kube-dns"}}
    return {"metadata": {"name": "kube-dns"}, "spec": spec}


@pytest.fixture
def api() -> FakeApi:
    """A cluster with flannel, kube-proxy, CoreDNS, somebody's agent, and one Service."""
    found = FakeApi()
    found.lists["/api/v1/namespaces"] = [
        {"metadata": {"name": "ipv6k8s-abc", "labels": {"ipv6k8s/run": "abc"}}}
    ]
    for namespace in ("ipv6k8s-abc", "kube-system", "default"):
        for kind in cluster._KINDS:
            found.lists[paths.inside(namespace, kind)] = []
    noise = {"kubectl.kubernetes.io/last-applied-configuration": "hunter2", "x/y": "hunter2"}
    noise |= {"service.kubernetes.io/kept": "yes"}
    found.lists["/api/v1/namespaces/default/services"] = [
        {"metadata": {"name": "kubernetes", "annotations": noise, "managedFields": ["hunter2"]}}
    ]
    found.lists["/api/v1/nodes"] = [{"metadata": {"name": "a"}, "status": {"images": ["x"]}}]
    found.lists["/apis/apps/v1/daemonsets"] = [
        _daemonset("flannel", "/etc/cni/net.d", "flannel-cfg"),
        _daemonset("kube-proxy", "/lib/modules", "kube-proxy"),
        _daemonset("monitoring", "/var/log", "monitoring"),
    ]
    found.lists[f"{SYSTEM}/configmaps"] = [
        {
            "metadata": {"name": name, "namespace": "kube-system"},
            "data": {"conf": "mode: iptables\n", "password": "hunter2"},
        }
        for name in ("coredns", "flannel-cfg", "kube-proxy", "monitoring")
    ]
    found.lists[f"{SYSTEM}/pods"] = [
        _system_pod("flannel-1", "b", {"app": "flannel"}),
        _system_pod("proxy-1", "a", {"app": "kube-proxy"}, 2),
        _system_pod("coredns-1", "a", {"k8s-app": "kube-dns"}),
    ]
    found.lists[f"{SYSTEM}/services"] = [_dns_service()]
    for name in ("flannel-1", "proxy-1", "coredns-1"):
        found.logs[f"{SYSTEM}/pods/{name}/log"] = f"{name} says Bearer hunter2\n"
    return found


def _read(api: FakeApi) -> tuple[dict[str, str], tuple[str, ...]]:
    gathered = gather(cluster.sources(api, cluster.Scope(run_id="abc", nodes=("a",))), timeout=5)
    return {file.name: file.text for file in gathered.files}, gathered.missing


def test_objects_of_the_run_and_of_the_system_are_read_without_noise(api: FakeApi) -> None:
    found, missing = _read(api)

    assert missing == ()
    for namespace in ("ipv6k8s-abc", "kube-system", "default"):
        for kind in ("services", "endpointslices", "pods", "networkpolicies", "events"):
            assert f"objects/{namespace}/{kind}.json" in found
    (service,) = json.loads(found["objects/default/services.json"])["items"]
    assert service == {
        "metadata": {"name": "kubernetes", "annotations": {"service.kubernetes.io/kept": "yes"}}
    }
    assert json.loads(found["objects/nodes.json"])["items"][0]["status"] == {}
    assert "hunter2" not in found["objects/kube-system/pods.json"]


def test_no_secret_object_is_asked_for(api: FakeApi) -> None:
    _read(api)

    assert not [path for _, path in api.asked if "secrets" in path]


def test_logs_and_configuration_of_the_network_are_read(api: FakeApi) -> None:
    found, _ = _read(api)

    for name in ("coredns-1", "flannel-1", "proxy-1"):
        assert f"logs/kube-system/{name}/main.log" in found
    assert "logs/kube-system/proxy-1/main-previous.log" in found
    assert found["config/kube-system/coredns/conf"] == "mode: iptables\n"
    assert found["config/kube-system/flannel-cfg/password"] == "[redacted]"
    assert not [name for name in found if "monitoring" in name]


def test_what_we_may_not_read_is_told_and_the_rest_is_read(api: FakeApi) -> None:
    api.validate("/api/v1/namespaces/ipv6k8s-abc/events", 403)
    del api.lists["/api/v1/namespaces/ipv6k8s-abc/events"]
    api.validate("/apis/apps/v1/daemonsets", 403)
    api.logs.clear()

    found, missing = _read(api)

    assert "events: /api/v1/namespaces/ipv6k8s-abc/events: 403" in missing
    assert "network components: /apis/apps/v1/daemonsets: 403" in missing
    assert "objects/ipv6k8s-abc/services.json" in found
    assert found["logs/kube-system/coredns-1/main.log"].startswith("cannot be read: ")


def test_probes_that_asked_or_were_asked_are_involved_and_their_nodes() -> None:
    names = [pod.name for pod in probes.involved(PODS, [FAILING], [FAILING])]

    assert names == ["probe-00", "probe-01", "host-00"]


def test_without_a_failing_answer_all_who_answered_are_involved() -> None:
    heard: Record[Any] = Record(source="probe-02", request={"op": "identity"}, answer={})

    assert [pod.name for pod in probes.involved(PODS, [], [heard])] == ["probe-02", "host-02"]


def test_without_any_answer_the_nodes_are_involved() -> None:
    assert [pod.name for pod in probes.involved(PODS, [], [])] == ["host-00", "host-02"]


def test_a_probe_tells_its_network_in_words_that_people_know() -> None:
    text = probes.state_text(PODS[0], STATE)

    for line in (
        "pod n/probe-00 on node a, fd00::5",
        "eth0: fd00::5/64 scope global tentative",
        "IPv6 default via fe80::1 dev eth0",
        "fe80::1 dev eth0 FAILED",
        "nameserver fd00:96::a",
        "net.ipv6.conf.all.disable_ipv6 = 0",
    ):
        assert line in text.splitlines()


def test_the_failing_question_is_asked_again() -> None:
    sessions = Sessions()

    (file,) = probes.asked_again(sessions.connect, PODS, [FAILING])

    assert sessions.asked == [("probe-00", tcp_connect.Request("fd00::6", 80))]
    (told,) = json.loads(file.text)
    assert (told["path"], told["answerNow"]["error"]) == ("a → b", "ETIMEDOUT")


def test_what_only_the_api_server_said_is_not_asked_again() -> None:
    said: Record[Any] = Record(source="the API server", request={"path": "/x"}, answer={})

    assert list(probes.asked_again(Sessions().connect, PODS, [said])) == []


DROP = "xx drop (Policy denied) flow 0x0 to endpoint 7, identity 5->7: [fd00::1]:9 -> [fd00::2]:80"


def test_drops_are_told_for_each_node_that_has_an_agent() -> None:
    hint = "Press Ctrl-C to quit\n"
    said = {"quiet": hint, "none": "", "busy": f"{hint}{DROP}\n"}

    found = {
        file.name: file.text for file in nodes.drops(lambda script, timeout: said, lambda: None)
    }

    assert found == {
        "cni-drops/quiet.txt": "no packet was dropped within 6 s\n",
        "cni-drops/busy.txt": f"{DROP}\n",
    }


def test_the_cni_is_listened_to_while_questions_are_asked_again(api: FakeApi) -> None:
    def shell(script: str, timeout: float) -> Mapping[str, str]:
        return {"a": DROP if "cilium-dbg monitor" in script else "\x1eip-addr\n1: lo\n"}

    found = _files(_collector(api=api, pods=PODS, connect=Sessions().connect, shell=shell))

    assert "Policy denied" in found["cni-drops/a.txt"]
    assert "asked-again.json" in found


def _shell(script: str, timeout: float) -> Mapping[str, str]:
    return {"a": "\x1eip-addr\n1: lo\n"}


def _collector(timeouts: Timeouts | None = None, **access: Any) -> Collector:
    return Collector(access=Access(run_id="abc", **access), timeouts=timeouts or Timeouts())


def _files(collector: Collector) -> dict[str, str]:
    return {file.name: file.text for file in collector.check(FAILURE).gathered.files}


def _of_cluster(collector: Collector) -> dict[str, str]:
    return {file.name: file.text for file in collector.cluster(FAILURE).gathered.files}


FAILURE = Failure(name="SVC-01-IPv6", about="# SVC-01", records=(FAILING,), failing=(FAILING,))


def test_a_check_has_its_evidence_and_its_probes_and_the_cluster_the_rest(api: FakeApi) -> None:
    collector = _collector(api=api, pods=PODS, connect=Sessions().connect, shell=_shell)

    own, cluster_part = _files(collector), _of_cluster(collector)

    assert {name.partition("/")[0] for name in own} == {
        *("README.md", "evidence.json", "asked-again.json", "probes", "cni-drops"),
    }
    assert own["README.md"].startswith("# SVC-01\n\nRead at 2")
    assert {name.partition("/")[0] for name in cluster_part} == {
        *("tables", "objects", "config", "logs", "nodes"),
    }
    assert "hunter2" not in str(own) + str(cluster_part)


def test_a_dead_probe_is_told_and_the_rest_is_there(api: FakeApi) -> None:
    found = _files(_collector(api=api, pods=PODS, connect=Sessions("probe-00").connect))

    assert "* probe probe-00: exec into pod probe-00: no answer in time" in found["README.md"]
    assert "probes/probe-01.txt" in found


def test_a_process_that_has_spent_its_time_still_keeps_the_evidence(api: FakeApi) -> None:
    sessions = Sessions()
    timeouts = replace(Timeouts(), bundles=0.0)

    found = _files(_collector(timeouts, api=api, pods=PODS, connect=sessions.connect))

    assert set(found) == {"README.md", "evidence.json"}
    assert "this process has spent its 0 s on them" in found["README.md"]
    assert (api.asked, sessions.asked) == ([], [])


def test_a_cluster_that_hangs_costs_no_more_than_the_deadline() -> None:
    forever = threading.Event()

    def hang(script: str, timeout: float) -> Mapping[str, str]:
        forever.wait(30)
        return {}

    found = _collector(replace(Timeouts(), bundle=0.2), shell=hang).cluster()
    forever.set()

    assert found.gathered.missing == ("nodes: not read within 0.2 s",)


def test_a_run_without_an_api_server_reads_pods_logs_from_the_nodes() -> None:
    scripts = []

    def shell(script: str, timeout: float) -> Mapping[str, str]:
        scripts.append(script)
        return {"a": "\x1epods.log\nerror\n"}

    found = _of_cluster(_collector(shell=shell))

    assert found["nodes/a/pods.log.txt"] == "error\n"
    assert "/var/log/pods" in scripts[0]


def test_nodes_of_others_are_shown_by_host_network_probes(api: FakeApi) -> None:
    found = _of_cluster(_collector(api=api, pods=PODS, connect=Sessions().connect))

    assert {name for name in found if name.startswith("nodes/")} == {
        f"nodes/{node}/{name}.txt" for node in "ac" for name in ("network", "ip-route", "ip-rule")
    }
    assert found["nodes/a/ip-route.txt"] == "-6 default via fe80::1 dev eth0 table main\n"
    assert "host-network pod n/host-00 on node a" in found["nodes/a/network.txt"]


def test_where_nodes_cannot_be_seen_it_is_said_how(api: FakeApi) -> None:
    pods = [pod for pod in PODS if not pod.host_network]

    found = _collector(api=api, pods=tuple(pods), connect=Sessions().connect).cluster()

    assert "--ipv6k8s-allow privileged" in found.gathered.missing[0]


def test_what_looks_odd_is_on_top_whether_or_not_something_failed(
    tmp_path: Path, api: FakeApi
) -> None:
    api.lists[paths.NODES][0]["status"]["conditions"] = [
        {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}
    ]
    path = tmp_path / "here" / "mine.tar.gz"

    write_now(path, Access(run_id="", api=api), about="# A cluster")

    found = contents(path)
    readme = found["README.md"]
    assert readme.index("# A cluster") < readme.index("* node a: Ready is Unknown")
    assert "  * look: `kubectl describe node a`" in readme
    assert next(iter(found)) == "README.md"
    assert found["tables/nodes.txt"].splitlines()[1].split()[:2] == ["a", "NotReady"]
    assert not any("ipv6k8s-abc" in name for name in found)
    assert not any(name.startswith("checks/") for name in found)
