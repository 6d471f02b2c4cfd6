"""What is asked of kind and of the container engine, and what is told when they refuse."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from pytest_ipv6k8s import docker
from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.clusters import preflight
from pytest_ipv6k8s.clusters.contract import Cluster, ClusterSpec, KubeProxy
from pytest_ipv6k8s.clusters.providers import kind
from pytest_ipv6k8s.errors import ClusterError, HostProblem
from pytest_ipv6k8s.process import CommandFailed, Finished
from tests.programs import Engine, network

NAME = "ipv6k8s-abc"
SPEC = ClusterSpec(run_id="abc", stack=Stack.IPV6, workers=1, probe_image="probe:1")
DEAD = Finished(command=(), code=1, out="", err="the engine is gone")
USUAL = {
    "docker network inspect": network(),
    "kind get nodes": f"{NAME}-control-plane\n{NAME}-worker\n",
}


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Programs that do nothing to this machine; what waits for the cluster is one of them."""
    made = Engine(USUAL)
    made.stand_in(monkeypatch, kind, docker)
    made.waits(monkeypatch)
    return made


def _create(spec: ClusterSpec = SPEC, said: Callable[[str], None] = lambda line: None) -> Cluster:
    return kind.PROVIDER.create(spec, Path("/home-of-run"), said)


NETWORKING: dict[Stack, dict[str, str]] = {
    Stack.IPV6: {
        "ipFamily": "ipv6",
        "podSubnet": "fd00:10:244::/56",
        "serviceSubnet": "fd00:10:96::/112",
    },
    Stack.IPV4: {
        "ipFamily": "ipv4",
        "podSubnet": "10.244.0.0/16",
        "serviceSubnet": "10.96.0.0/16",
    },
    Stack.DUAL: {
        "ipFamily": "dual",
        "podSubnet": "10.244.0.0/16,fd00:10:244::/56",
        "serviceSubnet": "10.96.0.0/16,fd00:10:96::/112",
    },
    Stack.DUAL_IPV6: {
        "ipFamily": "dual",
        "podSubnet": "fd00:10:244::/56,10.244.0.0/16",
        "serviceSubnet": "fd00:10:96::/112,10.96.0.0/16",
    },
}


@pytest.mark.parametrize("stack", Stack)
@pytest.mark.parametrize("workers", [0, 1, 3])
def test_the_configuration_of_every_stack(stack: Stack, workers: int) -> None:
    assert yaml.safe_load(kind.configuration(replace(SPEC, stack=stack, workers=workers))) == {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "networking": NETWORKING[stack],
        "nodes": [{"role": "control-plane"}, *[{"role": "worker"}] * workers],
    }


def test_a_cluster_is_made_in_a_network_of_its_own(engine: Engine) -> None:
    cluster = _create()

    assert cluster == Cluster(
        name=NAME,
        provider="kind",
        kubeconfig=Path("/home-of-run/kubeconfig"),
        context=f"kind-{NAME}",
        owned=True,
    )
    (network,) = engine.lines("docker network create")
    assert "--label ipv6k8s.run=abc" in network
    assert network.endswith(f" {NAME}")
    (made,) = [ran for ran in engine.ran if ran.line.startswith("kind create cluster")]
    assert made.environment == {"KIND_EXPERIMENTAL_DOCKER_NETWORK": NAME}
    assert made.stdin == kind.configuration(SPEC)
    assert f"--name {NAME} --config - --kubeconfig /home-of-run/kubeconfig" in made.line
    assert "--image" not in made.line


def test_the_network_is_there_before_the_cluster_and_dns_is_last(engine: Engine) -> None:
    _create()

    lines = engine.lines()
    network = lines.index(engine.lines("docker network create")[0])
    cluster = lines.index(engine.lines("kind create cluster")[0])
    assert network < cluster
    assert lines[-2:] == [f"wait for nodes of kind-{NAME}", "wait for CoreDNS"]
    assert not engine.lines("kind delete")


@pytest.mark.parametrize("stack", [Stack.IPV6, Stack.DUAL, Stack.DUAL_IPV6])
def test_a_network_with_ipv6_has_a_unique_local_subnet(engine: Engine, stack: Stack) -> None:
    _create(replace(SPEC, stack=stack))
    _create(replace(SPEC, stack=stack))

    words = [line.split() for line in engine.lines("docker network create")]
    subnets = [ipaddress.IPv6Network(line[line.index("--subnet") + 1]) for line in words]
    local = ipaddress.IPv6Network("fd00::/8")
    assert all("--ipv6" in line for line in words)
    assert all(subnet.prefixlen == 64 and subnet.subnet_of(local) for subnet in subnets)
    assert subnets[0] != subnets[1]


def test_a_network_without_ipv6_asks_for_none(engine: Engine) -> None:
    engine.usual["docker network inspect"] = network(ipv6=False)

    _create(replace(SPEC, stack=Stack.IPV4))

    assert "--ipv6" not in engine.lines("docker network create")[0]


def test_no_stack_given_means_ipv6_only(engine: Engine) -> None:
    _create(ClusterSpec(run_id="abc", probe_image=SPEC.probe_image))

    assert [ran.stdin for ran in engine.ran if ran.stdin] == [kind.configuration(SPEC)]


def test_a_node_image_is_handed_on(engine: Engine) -> None:
    _create(replace(SPEC, node_image="node:1"))

    assert engine.lines("kind create cluster")[0].endswith("--image node:1")
    assert "docker image inspect node:1" in engine.lines()


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_progress_says_what_is_made(engine: Engine, workers: int) -> None:
    said: list[str] = []

    _create(replace(SPEC, workers=workers, stack=Stack.DUAL), said.append)

    plural = "" if workers == 1 else "s"
    assert said == [f"making kind cluster {NAME}: dual, 1 control plane, {workers} worker{plural}"]


def test_only_nodes_without_the_probe_image_get_it(engine: Engine) -> None:
    engine.usual[f"docker exec {NAME}-worker ctr"] = "docker.io/probe:1\nother:1\n"

    _create()

    assert engine.lines("kind load") == [
        f"kind load docker-image probe:1 --name {NAME} --nodes {NAME}-control-plane"
    ]


def test_nothing_is_loaded_when_every_node_has_the_probe_image(engine: Engine) -> None:
    for node in (f"{NAME}-worker", f"{NAME}-control-plane"):
        engine.usual[f"docker exec {node} ctr"] = "probe:1\n"

    _create()

    assert not engine.lines("kind load")


def test_an_image_that_is_not_here_is_pulled(engine: Engine) -> None:
    engine.fails("docker image inspect probe:1")
    said: list[str] = []

    _create(said=said.append)

    assert engine.lines("docker pull") == ["docker pull probe:1"]
    assert said[0] == "pulling probe image probe:1"


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (Finished(command=(), code=1, out="", err="x\nno such host"), "pulled: no such host"),
        (CommandFailed("`docker pull` did not end"), "pulled: no image after 600 s"),
    ],
)
@pytest.mark.parametrize("what", ["node", "probe"])
def test_an_image_that_cannot_be_had_stops_before_anything_is_made(
    engine: Engine, what: str, refusal: Finished | BaseException, words: str
) -> None:
    engine.fails(f"docker image inspect {what}:1")
    engine.say[f"docker pull {what}:1"] = refusal

    with pytest.raises(HostProblem) as caught:
        _create(replace(SPEC, node_image="node:1"))

    assert f"{what} image {what}:1 is not on this machine and cannot be {words}" in str(
        caught.value
    )
    assert f"--ipv6k8s-{what}-image" in caught.value.remedy
    assert not engine.lines("docker network")
    assert not engine.lines("kind")


@pytest.mark.parametrize(
    "step",
    [
        "docker network create",
        "kind create cluster",
        "wait for nodes",
        "kind get nodes",
        "kind load",
        "wait for CoreDNS",
    ],
)
@pytest.mark.parametrize("how", [DEAD, KeyboardInterrupt(), SystemExit()], ids=str)
def test_whatever_fails_what_was_begun_is_removed(
    engine: Engine, step: str, how: Finished | BaseException
) -> None:
    engine.say[step] = how
    wanted = type(how) if isinstance(how, BaseException) else (HostProblem, ClusterError)

    with pytest.raises(wanted):
        _create()

    assert engine.lines()[-3:] == [
        f"kind delete cluster --name {NAME}",
        f"docker network inspect {NAME}",
        f"docker network rm {NAME}",
    ]


def test_the_first_failure_is_told_even_when_the_clean_up_fails(engine: Engine) -> None:
    engine.fails("kind create cluster", "ERROR: no space left on device")
    engine.fails("kind delete cluster", "the engine is gone")

    with pytest.raises(ClusterError, match="no space left"):
        _create()


def test_an_engine_without_ipv6_networks_is_told(engine: Engine) -> None:
    engine.usual["docker network inspect"] = network(ipv6=False)

    with pytest.raises(HostProblem, match="makes no networks with IPv6") as caught:
        _create()

    assert '"ip6tables": true' in caught.value.remedy
    assert not engine.lines("kind create")
    assert f"docker network rm {NAME}" in engine.lines()


@pytest.mark.parametrize(
    ("said", "told", "remedy"),
    [
        ("Creating\nERROR: failed to pull image x\nmore", "ERROR: failed to pull image x", "image"),
        ("ERROR:  no space left on device", "ERROR: no space left on device", "free some space"),
        ("Creating\nit all went wrong", "Creating it all went wrong", "ipv6k8s doctor"),
    ],
)
def test_kinds_own_words_are_told_with_a_remedy(
    engine: Engine, said: str, told: str, remedy: str
) -> None:
    engine.fails("kind create cluster", said)

    with pytest.raises(ClusterError) as caught:
        _create()

    assert f"kind could not make the cluster: {told}" in str(caught.value)
    assert remedy in caught.value.remedy


def test_deleting_twice_is_fine(engine: Engine) -> None:
    engine.fails("docker network inspect")

    kind.PROVIDER.delete(NAME)

    assert not engine.lines("docker network rm")


def test_whatever_else_is_on_the_network_is_removed_before_it(engine: Engine) -> None:
    engine.usual["docker network inspect"] = network("guest1", "guest2")

    kind.PROVIDER.delete(NAME)

    assert engine.lines()[-2:] == [
        "docker rm --force --volumes guest1 guest2",
        f"docker network rm {NAME}",
    ]


def test_a_cluster_that_cannot_be_deleted_is_an_error(engine: Engine) -> None:
    engine.fails("kind delete cluster")

    with pytest.raises(HostProblem):
        kind.PROVIDER.delete(NAME)


def test_a_script_runs_on_every_node(engine: Engine) -> None:
    engine.usual[f"docker exec {NAME}-worker sh -c ip addr"] = "lo\n"
    engine.say[f"docker exec {NAME}-control-plane sh -c ip addr"] = CommandFailed("took too long")

    said = kind.PROVIDER.on_nodes(NAME, "ip addr", 5)

    assert said == {f"{NAME}-control-plane": "took too long", f"{NAME}-worker": "lo\n"}


def test_nodes_can_be_looked_at_before_they_are_removed(engine: Engine) -> None:
    looked: list[list[str]] = []
    spec = replace(SPEC, before_removal=lambda name: looked.append(engine.lines()))
    engine.fails("kind create")

    with pytest.raises(ClusterError):
        _create(spec)

    assert [line for line in looked[0] if "delete" in line] == []
    assert engine.lines("kind delete")


def test_ctrl_c_is_not_kept_waiting(engine: Engine) -> None:
    looked: list[str] = []
    engine.say["kind create"] = KeyboardInterrupt()

    with pytest.raises(KeyboardInterrupt):
        _create(replace(SPEC, before_removal=looked.append))

    assert looked == []
    assert engine.lines("kind delete")


def test_problems_are_those_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = replace(preflight.read_facts(docker.Docker()), has_engine=False)
    monkeypatch.setattr(preflight, "read_facts", lambda engine: facts)

    assert "docker is not on PATH" in kind.PROVIDER.problems(SPEC)[0].text


def _networking(spec: ClusterSpec) -> dict[str, str | bool]:
    found: dict[str, str | bool] = yaml.safe_load(kind.configuration(spec))["networking"]
    return found


def test_a_network_that_replaces_kinds_own_is_left_room() -> None:
    assert _networking(replace(SPEC, cni="cilium"))["disableDefaultCNI"] is True
    assert "disableDefaultCNI" not in _networking(SPEC)


@pytest.mark.parametrize("mode", KubeProxy)
def test_kube_proxys_mode_is_handed_on(mode: KubeProxy) -> None:
    assert _networking(replace(SPEC, kube_proxy=mode))["kubeProxyMode"] == mode.value
    assert "kubeProxyMode" not in _networking(SPEC)


def test_without_kube_proxy_somebody_else_has_to_serve_services(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without = replace(SPEC, kube_proxy=KubeProxy.NONE)

    told = [problem.text for problem in kind.PROVIDER.problems(without)]
    own = replace(without, cni="none", cni_command="x")

    assert any(text.startswith("without kube-proxy somebody else has to serve") for text in told)
    assert not any("kube-proxy" in problem.text for problem in kind.PROVIDER.problems(own))


def test_a_cluster_whose_network_failed_can_be_kept(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text("")
    engine.fails("wait for nodes")

    with pytest.raises(HostProblem):
        kind.PROVIDER.create(replace(SPEC, keep=True), tmp_path, lambda line: None)

    assert not engine.lines("kind delete")


def test_a_cluster_that_never_came_up_is_not_kept(engine: Engine, tmp_path: Path) -> None:
    engine.fails("kind create cluster")

    with pytest.raises(ClusterError):
        kind.PROVIDER.create(replace(SPEC, keep=True), tmp_path, lambda line: None)

    assert engine.lines("kind delete")
