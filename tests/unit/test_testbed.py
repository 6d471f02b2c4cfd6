"""What a testbed asks of the engine, of nodes and of CoreDNS."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from pytest_ipv6k8s import data, docker
from pytest_ipv6k8s.addresses import Egress, Stack
from pytest_ipv6k8s.errors import ClusterError, HostProblem
from pytest_ipv6k8s.kube.coredns import DnsDown
from pytest_ipv6k8s.kube.inventory import Node
from pytest_ipv6k8s.process import Finished
from pytest_ipv6k8s.testbed import image, testbed
from tests.programs import Engine
from tests.unit.clock import Clock
from tests.unit.fake_api import FakeApi

COREFILE = """.:53 {
    errors
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       ttl 30
    }
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    loop
}
"""
DNS_LABELS = {"k8s-app": "kube-dns"}
DOCKER = docker.Docker()
NETWORK = {"ipv6k8s-abc": {"IPAddress": "172.18.0.9", "GlobalIPv6Address": "fd00:18::9"}}


def _node(number: int) -> Node:
    return Node(
        name=f"n{number}",
        internal_ips=(f"fd00:18::{number + 2}", f"172.18.0.{number + 2}"),
        pod_cidrs=(f"fd00:10:244:{number}::/64", f"10.244.{number}.0/24"),
        labels={},
        kubelet="",
        kernel="",
        runtime="",
    )


class BesideNodes(Engine):
    """A container engine that remembers which files are copied into the testbed."""

    def __init__(self) -> None:
        super().__init__({"docker inspect --format": json.dumps(NETWORK)})
        self.fails("docker container inspect", "No such container")
        self.copied: list[str] = []

    def run(self, command: Sequence[str | Path], **more: Any) -> Finished:
        """Record a command."""
        if command[1] == "cp":
            folder = Path(command[2])
            self.copied = [str(file.relative_to(folder)) for file in folder.rglob("*.*")]
        return super().run(command, **more)

    def script(self, node: str) -> str:
        """Return the script that a node ran."""
        return next(ran.stdin for ran in self.ran if f"exec -i {node} sh" in ran.line)


class Dns(FakeApi):
    """An API server with a CoreDNS."""

    def __init__(
        self,
        corefile: str = COREFILE,
        *,
        comes_back: Callable[[str], bool] = lambda corefile: True,
    ) -> None:
        super().__init__()
        self.corefile = corefile
        self.restarts = 0
        self.kept: str | None = None
        self.comes_back = comes_back
        pod = {"metadata": {"name": "coredns-1", "namespace": "kube-system", "labels": DNS_LABELS}}
        pod |= {"spec": {"nodeName": "n1"}, "status": {"phase": "Failed", "reason": "Evicted"}}
        self.lists["/api/v1/namespaces/kube-system/pods"] = [pod]

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """Return the ConfigMap or the Deployment."""
        if "configmaps" in path:
            annotations = {"ipv6k8s/corefile-before": self.kept}
            return {"metadata": {"annotations": annotations}, "data": {"Corefile": self.corefile}}
        back = not self.restarts or self.comes_back(self.corefile)
        counts = {"updatedReplicas": 2, "replicas": 2, "availableReplicas": 2 if back else 1}
        status = {"observedGeneration": self.restarts, **counts}
        return {
            "metadata": {"generation": self.restarts},
            "spec": {"replicas": 2, "selector": {"matchLabels": DNS_LABELS}},
            "status": status,
        }

    def patch(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Change either."""
        if "configmaps" in path:
            self.corefile = body["data"]["Corefile"]
            self.kept = body["metadata"]["annotations"]["ipv6k8s/corefile-before"]
        else:
            self.restarts += 1
        return {}


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> BesideNodes:
    """An engine in the place of the real one."""
    made = BesideNodes()
    made.stand_in(monkeypatch, docker)
    return made


def _plan(
    stack: Stack = Stack.IPV6, egress: Egress = Egress.MASQUERADE, dns64: str = "resolver"
) -> testbed.Plan:
    return testbed.Plan(
        run_id="abc",
        image="testbed:1",
        stack=stack,
        nodes=(_node(0), _node(1)),
        egress=egress,
        dns64=dns64,
    )


def _build(plan: testbed.Plan, dns: Dns, folder: Path) -> testbed.Testbed:
    return testbed.build(plan, dns, b"zip", folder, lambda line: None, DOCKER)


def test_the_container_is_privileged_labelled_and_on_the_nodes_network(
    engine: BesideNodes, tmp_path: Path
) -> None:
    _build(_plan(), Dns(), tmp_path)

    (started,) = engine.lines("docker run")
    for words in ("--privileged", "--network ipv6k8s-abc", "--label ipv6k8s.run=abc", "testbed:1"):
        assert words in started


def test_dns_is_led_to_the_resolver_and_back(engine: BesideNodes, tmp_path: Path) -> None:
    dns = Dns()

    built = _build(_plan(Stack.DUAL), dns, tmp_path)
    led = dns.corefile
    testbed.remove(built, dns, DOCKER)

    assert "forward . 192.0.2.53 2001:db8:53::53 {" in led
    assert "max_concurrent 1000" in led
    assert dns.corefile == COREFILE
    assert dns.restarts == 2


def test_coredns_may_synthesise_itself(engine: BesideNodes, tmp_path: Path) -> None:
    dns = Dns()

    _build(_plan(dns64="coredns"), dns, tmp_path)

    assert "    dns64 2001:db8:64::/96\n    forward . 2001:db8:53::54 {" in dns.corefile


def test_a_dns_that_forwards_nowhere_is_named_and_nothing_stays(
    engine: BesideNodes, tmp_path: Path
) -> None:
    with pytest.raises(ClusterError, match="CoreDNS forwards nowhere"):
        _build(_plan(), Dns(".:53 {\n}\n"), tmp_path)

    assert engine.lines("docker rm --force --volumes ipv6k8s-abc-testbed")


@pytest.mark.parametrize(
    ("egress", "words"),
    [
        (Egress.NATIVE, ["notrack"]),
        (Egress.NONE, ["type filter hook forward", "drop"]),
        (Egress.NPTV6, ["SNPT --src-pfx fd00:10:244:1::/64 --dst-pfx 2001:db8:f:2::/64", "DNPT"]),
    ],
)
def test_each_style_has_its_rules(
    engine: BesideNodes, tmp_path: Path, egress: Egress, words: list[str]
) -> None:
    _build(_plan(egress=egress), Dns(), tmp_path)

    script = engine.script("n1")
    assert "ip -6 route replace 2001:db8::/32 via fd00:18::9" in script
    assert "ip -4" not in script
    for word in words:
        assert word in script


@pytest.mark.parametrize(
    ("egress", "routes"),
    [
        (Egress.MASQUERADE, {}),
        (Egress.NATIVE, {"fd00:10:244:0::/64": "fd00:18::2", "fd00:10:244:1::/64": "fd00:18::3"}),
        (Egress.NPTV6, {"2001:db8:f:1::/64": "fd00:18::2", "2001:db8:f:2::/64": "fd00:18::3"}),
    ],
)
def test_the_outside_has_routes_back_where_nothing_is_masqueraded(
    engine: BesideNodes, tmp_path: Path, egress: Egress, routes: dict[str, str]
) -> None:
    _build(_plan(egress=egress), Dns(), tmp_path)

    plan = next(ran.stdin for ran in engine.ran if "testbed.container" in ran.line)
    assert json.loads(plan)["routes"] == routes


IN_TESTBED = "docker exec ipv6k8s-abc-testbed"
PROGRAM = "docker exec -i --env PYTHONPATH=/ipv6k8s/site ipv6k8s-abc-testbed python3"


@pytest.mark.parametrize("step", ["docker run", f"{IN_TESTBED} test -c /dev/net/tun", PROGRAM])
def test_an_engine_that_may_not_is_told_in_one_sentence(
    engine: BesideNodes, tmp_path: Path, step: str
) -> None:
    engine.fails(step, "denied")

    with pytest.raises(HostProblem, match="testbed") as caught:
        _build(_plan(), Dns(), tmp_path)

    assert "--ipv6k8s-external none" in caught.value.remedy
    assert engine.lines("docker rm --force")


def test_an_image_that_cannot_be_had_is_named(engine: BesideNodes, tmp_path: Path) -> None:
    engine.fails("docker", "denied")

    with pytest.raises(HostProblem, match=r"testbed image testbed:1 .* cannot be pulled: denied"):
        image.require("testbed:1", DOCKER, tmp_path, lambda line: None)
    with pytest.raises(HostProblem, match="image of the testbed cannot be had: denied"):
        image.require(None, DOCKER, tmp_path, lambda line: None)


def test_our_own_image_is_built_where_it_is_missing(engine: BesideNodes, tmp_path: Path) -> None:
    engine.fails("docker image inspect")

    tag = image.require(None, DOCKER, tmp_path, lambda line: None)

    assert tag.startswith("ipv6k8s/testbed:")
    assert engine.lines(f"docker build --tag {tag}")
    assert "tayga" in (tmp_path / "testbed-image" / "packages.txt").read_text()


@pytest.mark.parametrize(
    ("comes_back", "kind", "which"),
    [
        (lambda corefile: corefile == COREFILE, ClusterError, "changed"),
        (lambda corefile: False, DnsDown, "as it was"),
    ],
    ids=["as it was", "never"],
)
def test_a_dns_that_does_not_come_back_is_named_and_given_back(
    engine: BesideNodes,
    tmp_path: Path,
    clock: Clock,
    comes_back: Callable[[str], bool],
    kind: type[ClusterError],
    which: str,
) -> None:
    dns = Dns(comes_back=comes_back)

    with pytest.raises(ClusterError) as caught:
        _build(_plan(), dns, tmp_path)

    assert type(caught.value) is kind
    assert caught.value.problem == (
        f"CoreDNS does not come back when it is restarted with its Corefile {which}: "
        "coredns-1 on n1 (Evicted)"
    )
    assert (dns.corefile, dns.kept) == (COREFILE, None)
    assert engine.lines("docker rm")


def test_a_second_world_beside_a_cluster_is_refused(engine: BesideNodes, tmp_path: Path) -> None:
    del engine.say["docker container inspect"]

    with pytest.raises(HostProblem, match="there is a testbed beside this cluster already"):
        _build(_plan(), Dns(), tmp_path)

    assert not engine.lines("docker rm")


def test_what_a_killed_run_changed_is_not_taken_for_healthy(
    engine: BesideNodes, tmp_path: Path
) -> None:
    dns = Dns()
    _build(_plan(), dns, tmp_path)

    testbed.remove(_build(_plan(), dns, tmp_path), dns, DOCKER)

    assert (dns.corefile, dns.kept) == (COREFILE, None)


def test_byte_code_beside_the_programs_of_the_world_is_no_program(
    engine: BesideNodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "servers"
    (programs / "__pycache__").mkdir(parents=True)
    (programs / "__pycache__" / "proxy.cpython-311.pyc").write_bytes(b"\xcb\x0d")
    (programs / "proxy.py").write_text("")
    monkeypatch.setattr(data, "folder", lambda name: nullcontext(programs))

    _build(_plan(), Dns(), tmp_path)

    assert "servers/proxy.py" in engine.copied
    assert not [name for name in engine.copied if "__pycache__" in name]
