"""What is asked of the container engine for K3s, step by step, and what is told when it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from pytest_ipv6k8s import docker
from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.cli import main as cli
from pytest_ipv6k8s.clusters import contract, preflight
from pytest_ipv6k8s.clusters.contract import Cluster, ClusterSpec, KubeProxy
from pytest_ipv6k8s.clusters.providers import k3s
from pytest_ipv6k8s.errors import ClusterError, ConfigError, HostProblem
from pytest_ipv6k8s.process import CommandFailed, Finished
from tests.programs import READY, Engine, network
from tests.unit.clock import Clock

NAME = "ipv6k8s-abc"
SERVER, AGENT = f"{NAME}-server", f"{NAME}-agent-1"
SPEC = ClusterSpec(run_id="abc", stack=Stack.IPV6, workers=1, probe_image="probe:1")
SUBNETS = {Family.V4: "172.18.0.0/16", Family.V6: "fd12:3456:789a::/64"}
DEAD = Finished(command=(), code=1, out="", err="the engine is gone")
JOINED = f"docker exec {SERVER} k3s kubectl get nodes"
KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: default
contexts: [{name: default, context: {cluster: default, user: default}}]
clusters: [{name: default, cluster: {server: "https://[::1]:6443"}}]
users: [{name: default, user: {token: hunter2}}]
"""


def _usual(stack: Stack = Stack.IPV6) -> dict[str, str]:
    subnets = [SUBNETS[family] for family in stack.families]
    v4, v6 = Family.V4 in stack.families, Family.V6 in stack.families
    return {
        "docker image inspect --format": '["/bin/k3s"]',
        "docker network inspect": network(ipv4=v4, ipv6=v6, subnets=subnets),
        "docker inspect --format {{.State.Running}}": "true\n",
        "docker ps": f"{AGENT}\n{SERVER}\n",
        "docker port": "[::1]:32768\n" if not v4 else "127.0.0.1:32768\n",
        "docker version": "1.48\n",
        JOINED: f"node/{SERVER}\nnode/{AGENT}\n",
        f"docker exec {SERVER} cat /etc/rancher/k3s/k3s.yaml": KUBECONFIG,
    }


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Engine:
    """Programs that do nothing to this machine; what waits for the cluster is one of them."""
    made = Engine(_usual())
    made.stand_in(monkeypatch, docker)
    made.waits(monkeypatch)
    return made


@pytest.fixture
def create(engine: Engine, tmp_path: Path) -> Callable[..., Cluster]:
    """Make a cluster with recorded programs."""

    def make(said: Callable[[str], None] = lambda line: None, **more: object) -> Cluster:
        return k3s.PROVIDER.create(replace(SPEC, **more), tmp_path, said)  # type: ignore[arg-type]

    return make


def test_an_ipv6_only_cluster_stands_on_an_ipv6_only_network(
    engine: Engine, create: Callable[..., Cluster]
) -> None:
    create()

    (made,) = engine.lines("docker network create")
    assert re.fullmatch(
        "docker network create --driver bridge --label ipv6k8s.run=abc --ipv4=false --ipv6 "
        rf"--subnet fd[0-9a-f]{{2}}:[0-9a-f]{{4}}:[0-9a-f]{{4}}::/64 {NAME}",
        made,
    )


def test_nodes_share_a_secret_that_is_on_no_command_line(
    engine: Engine, create: Callable[..., Cluster]
) -> None:
    create()
    create()

    tokens = [ran.environment["K3S_TOKEN"] for ran in engine.ran if "docker run" in ran.line]
    assert len(tokens) == 4
    assert len(set(tokens)) == 2
    assert all(len(token) == 32 for token in tokens)
    assert not any(token in line for token in tokens for line in engine.lines())


@pytest.mark.parametrize(
    ("stack", "server"),
    [
        (Stack.IPV6, "https://[::1]:32768"),
        (Stack.DUAL, "https://127.0.0.1:32768"),
        (Stack.DUAL_IPV6, "https://127.0.0.1:32768"),
        (Stack.IPV4, "https://127.0.0.1:32768"),
    ],
)
def test_the_kubeconfig_leads_to_the_published_port(
    engine: Engine, create: Callable[..., Cluster], stack: Stack, server: str
) -> None:
    engine.usual |= _usual(stack)

    cluster = create(stack=stack)

    written = yaml.safe_load(cluster.kubeconfig.read_text())
    wanted = yaml.safe_load(KUBECONFIG)
    wanted["clusters"][0]["cluster"]["server"] = server
    assert written == wanted
    assert cluster.context == written["current-context"]
    assert cluster.kubeconfig.stat().st_mode & 0o077 == 0


def test_steps_come_in_order_and_dns_is_last(
    engine: Engine, create: Callable[..., Cluster]
) -> None:
    create()

    steps = ["network create", f"run {SERVER}", f"run {AGENT}", "get nodes", "k3s.yaml", "save"]
    steps += [f"import {SERVER}", f"import {AGENT}", "wait for nodes", "wait for CoreDNS"]
    lines = engine.lines()
    places = [
        next(number for number, line in enumerate(lines) if all(w in line for w in step.split()))
        for step in steps
    ]
    assert places == sorted(places)
    assert lines[-1] == "wait for CoreDNS"


def test_every_node_gets_the_probe_image(
    engine: Engine, create: Callable[..., Cluster], tmp_path: Path
) -> None:
    create()

    archive = tmp_path / "probe.tar"
    assert engine.lines("docker save") == [f"docker save --output {archive} probe:1"]
    for node in (SERVER, AGENT):
        assert f"docker cp {archive} {node}:/tmp/probe.tar" in engine.lines()
        containerd = "k3s ctr --namespace k8s.io images import /tmp/probe.tar"
        assert f"docker exec {node} {containerd}" in engine.lines()


@pytest.mark.parametrize(("cni", "shared"), [("default", 0), ("none", 2)])
def test_mounts_of_another_cnis_pods_reach_the_node(
    engine: Engine,
    create: Callable[..., Cluster],
    monkeypatch: pytest.MonkeyPatch,
    cni: str,
    shared: int,
) -> None:
    chosen = contract.installer(cni)
    monkeypatch.setattr(type(chosen), "install", lambda self, cluster, spec, progress: None)

    create(cni=cni)

    lines = [line for line in engine.lines() if line.endswith("mount --make-rshared /")]
    assert len(lines) == shared


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_progress_says_what_is_made(
    engine: Engine, create: Callable[..., Cluster], workers: int
) -> None:
    said: list[str] = []
    engine.usual[JOINED] += f"node/{NAME}-agent-2\n"

    create(said.append, workers=workers)

    plural = "" if workers == 1 else "s"
    assert said == [f"making K3s cluster {NAME}: ipv6, 1 server, {workers} agent{plural}"]
    assert len(engine.lines("docker run")) == workers + 1


@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize("node", [SERVER, AGENT])
def test_a_node_that_never_joins_is_named_with_its_last_words(
    engine: Engine, create: Callable[..., Cluster], node: str, ended: bool
) -> None:
    engine.usual[JOINED] = "".join(f"node/{name}\n" for name in {SERVER, AGENT} - {node})
    if ended:
        engine.usual[f"docker inspect --format {{{{.State.Running}}}} {node}"] = "false\n"
    log = 'level=info msg="hello"\nlevel=fatal msg="no IPv6 here"\nlevel=info msg="bye"\n'
    engine.say[f"docker logs --tail 200 {node}"] = Finished(command=(), code=0, out="", err=log)

    with pytest.raises(ClusterError) as caught:
        create()

    did = "ended before it joined" if ended else "did not join within 180 s"
    told = f'K3s node {node} {did}; it said: level=fatal msg="no IPv6 here"'
    assert caught.value.problem == told
    assert caught.value.remedy
    assert f"docker network rm {NAME}" in engine.lines()


def test_a_silent_node_is_named_as_well(engine: Engine, create: Callable[..., Cluster]) -> None:
    engine.fails(JOINED, "connection refused")

    with pytest.raises(ClusterError, match=rf"K3s node {SERVER} did not join .* it said: nothing"):
        create()


def test_an_image_that_is_not_k3s_is_told_before_anything_is_made(
    engine: Engine, create: Callable[..., Cluster]
) -> None:
    engine.usual["docker image inspect --format"] = '["/usr/local/bin/entrypoint"]'

    with pytest.raises(ConfigError, match="node image kindest/node:1 is not K3s") as caught:
        create(node_image="kindest/node:1")

    assert "rancher/k3s" in caught.value.remedy
    assert not engine.lines("docker network")


@pytest.mark.parametrize("entrypoint", ["null", "[]"])
def test_an_image_without_an_entrypoint_is_not_k3s(
    engine: Engine, create: Callable[..., Cluster], entrypoint: str
) -> None:
    engine.usual["docker image inspect --format"] = entrypoint

    with pytest.raises(ConfigError, match="is not K3s"):
        create()


@pytest.mark.parametrize(
    ("image", "what"), [(k3s.IMAGE, "node"), ("mine:1", "node"), ("probe:1", "probe")]
)
def test_an_image_that_cannot_be_had_stops_before_anything_is_made(
    engine: Engine, create: Callable[..., Cluster], image: str, what: str
) -> None:
    engine.fails(f"docker image inspect {image}")
    engine.fails(f"docker pull {image}", "no such host")

    with pytest.raises(HostProblem) as caught:
        create(node_image="mine:1" if image == "mine:1" else None)

    assert f"{what} image {image} is not on this machine and cannot be pulled" in str(caught.value)
    assert f"--ipv6k8s-{what}-image" in caught.value.remedy
    assert not engine.lines("docker network")
    assert not engine.lines("docker run")


def test_the_first_failure_is_told_even_when_the_clean_up_fails(
    engine: Engine, create: Callable[..., Cluster]
) -> None:
    engine.fails(f"docker run --detach --privileged --network {NAME} --name {AGENT}", "no room")
    engine.fails("docker ps", "the engine is gone")

    with pytest.raises(CommandFailed, match="failed") as caught:
        create()

    assert caught.value.finished is not None
    assert caught.value.finished.last_words == "no room"


def test_a_cluster_that_does_not_become_ready_can_be_kept(
    engine: Engine, create: Callable[..., Cluster]
) -> None:
    engine.fails("wait for CoreDNS")

    with pytest.raises(CommandFailed):
        create(keep=True)

    assert not engine.lines("docker rm")


def test_containers_that_ended_are_deleted_by_the_label_of_their_run(engine: Engine) -> None:
    k3s.PROVIDER.delete(NAME)

    assert engine.lines() == [
        "docker ps --all --filter label=ipv6k8s.run=abc --format {{.Names}}",
        f"docker rm --force --volumes {AGENT} {SERVER}",
        f"docker network inspect {NAME}",
        f"docker network rm {NAME}",
    ]


def test_a_script_runs_on_the_nodes_and_nowhere_else(engine: Engine) -> None:
    engine.usual["docker ps"] += f"{NAME}-testbed\n"
    engine.usual["docker exec"] = "1: lo"

    assert k3s.PROVIDER.on_nodes(NAME, "ip addr", 5) == {AGENT: "1: lo", SERVER: "1: lo"}


@pytest.fixture
def ready(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A machine with an engine and without kind."""
    monkeypatch.setattr(preflight, "read_facts", lambda docker: READY)
    return engine


def _problems(**more: object) -> list[str]:
    spec = replace(SPEC, **more)  # type: ignore[arg-type]
    return [f"{p.text}. {p.remedy}" for p in k3s.PROVIDER.problems(spec)]


@pytest.mark.parametrize("stack", Stack)
def test_a_machine_with_an_engine_has_no_problem_and_needs_no_kind(
    ready: Engine, stack: Stack
) -> None:
    assert _problems(stack=stack) == []
    assert not ready.lines("kind")


@pytest.mark.parametrize("version", ["1.41", "1.47", "1.9"])
def test_an_engine_too_old_for_an_ipv6_only_network_is_told(ready: Engine, version: str) -> None:
    ready.usual["docker version"] = f"{version}\n"

    assert _problems() == [
        "the container engine is too old for an IPv6-only network. "
        "install Docker Engine 28 or newer, or choose --ipv6k8s-stack dual-ipv6"
    ]
    assert _problems(stack=Stack.DUAL_IPV6) == []


def test_without_docker_bad_ranges_are_told_nevertheless(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "read_facts", lambda docker: replace(READY, has_engine=False))

    told = _problems(service_cidrs=("fd02::/64",))

    assert told[0].startswith("there is no container engine: docker is not on PATH")
    assert "fd02::/64 is too large for Services. take a range from /112 to /120" in told[1]
    assert engine.lines() == []


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"service_cidrs": ("fd02::/111",)}, "fd02::/111 is too large for Services"),
        ({"pod_cidrs": ("10.0.0.0/16",)}, "10.0.0.0/16 does not fit stack ipv6"),
        (
            {"stack": Stack.DUAL_IPV6, "pod_cidrs": ("10.0.0.0/16", "fd01::/56")},
            "give one range of each, in this order: IPv6 before IPv4",
        ),
        ({"pod_cidrs": ("fd00:43::/64",)}, "fd00:43::/112 have addresses in common"),
        ({"pod_cidrs": ("fd99::/56",)}, "fd99::/56 overlaps container network taken"),
        ({"kube_proxy": KubeProxy.NONE}, "without kube-proxy somebody else has to serve Services"),
        ({"cni": "none"}, "--ipv6k8s-cni none leaves the cluster without a network"),
    ],
)
def test_what_k3s_cannot_make_is_told_before_anything_is_made(
    ready: Engine, more: dict[str, object], told: str
) -> None:
    ready.usual["docker network ls"] = "1\n"
    taken = {"Name": "taken", "IPAM": {"Config": [{"Subnet": "fd99::/64"}]}}
    ready.usual["docker network inspect 1"] = json.dumps([taken])

    (line,) = _problems(**more)

    assert told in line
    assert not [line for line in ready.lines() if "create" in line or "run" in line]


def test_the_doctor_knows_k3s(ready: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--provider", "k3s"]) == cli.OK
    said = capsys.readouterr().out
    assert said.endswith("This machine is ready for provider k3s.\n")
    assert f"image    node: {k3s.IMAGE}, on this machine" in said

    ready.usual["docker version"] = "1.41\n"
    assert cli.main(["doctor", "--provider", "k3s"]) == cli.PROBLEM
    assert "remedy   install Docker Engine 28 or newer" in capsys.readouterr().out
