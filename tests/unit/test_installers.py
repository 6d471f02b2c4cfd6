"""CNI installers: found by their names, and what they ask of Helm and the shell."""

from __future__ import annotations

import inspect
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.clusters import rollout
from pytest_ipv6k8s.clusters.contract import (
    Cluster,
    ClusterSpec,
    CniInstaller,
    KubeProxy,
    Problem,
    installer,
    names,
)
from pytest_ipv6k8s.clusters.installers import cilium, none
from pytest_ipv6k8s.errors import ClusterError, ConfigError
from pytest_ipv6k8s.process import CommandFailed, Finished
from tests.programs import Engine
from tests.unit.fake_api import FakeApi

SPEC = ClusterSpec(
    run_id="abc",
    stack=Stack.IPV6,
    cni="cilium",
    pod_cidrs=("fd00:10:244::/56",),
    service_cidrs=("fd00:10:96::/112",),
)
DUAL = replace(
    SPEC, stack=Stack.DUAL, pod_cidrs=("10.244.0.0/16", "fd00:10:244::/56"), service_cidrs=()
)
OURS = replace(SPEC, cni="none", cni_command="kubectl apply -f net.yaml")
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"


@pytest.fixture
def helm(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A Helm, and a shell, that only keep record."""
    engine = Engine({"helm version": "v3.22.0+g1234567\n"})
    engine.stand_in(monkeypatch, cilium, none)
    monkeypatch.setattr(cilium, "shutil", Which("/bin/helm"))
    monkeypatch.setattr(rollout, "workloads_ready", lambda *a, **k: None)
    api = FakeApi()
    api.lists[SLICES] = [
        {
            "metadata": {"name": "k", "labels": {"kubernetes.io/service-name": "kubernetes"}},
            "endpoints": [{"addresses": ["fd00::2"]}],
            "ports": [{"port": 6443}],
        }
    ]
    monkeypatch.setattr(cilium, "Api", lambda kubeconfig, timeouts: api)
    return engine


class Which:
    """Where programs are."""

    def __init__(self, place: str | None) -> None:
        self._place = place

    def which(self, name: str) -> str | None:
        return self._place


def _cluster(folder: Path) -> Cluster:
    file = folder / "kubeconfig"
    return Cluster(name="c", provider="kind", kubeconfig=file, context="kind-c", owned=True)


def _install(folder: Path, spec: ClusterSpec = SPEC) -> list[str]:
    said: list[str] = []
    installer(spec.cni).install(_cluster(folder), spec, said.append)
    return said


def _texts(problems: list[Problem]) -> list[str]:
    assert all(problem.remedy for problem in problems)
    return [problem.text for problem in problems]


def _values(helm: Engine) -> dict[str, Any]:
    """Return what Helm makes of the files that it was given."""
    (line,) = helm.lines("helm upgrade")
    words = line.split()
    merged: dict[str, Any] = {}
    for file in (words[at + 1] for at, word in enumerate(words) if word == "--values"):
        merged = _merge(merged, yaml.safe_load(Path(file).read_text()))
    return merged


def _merge(base: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    return {
        **base,
        **{
            name: _merge(base.get(name, {}), value) if isinstance(value, dict) else value
            for name, value in more.items()
        },
    }


def test_installers_are_listed_by_name() -> None:
    assert names("installer") == ["cilium", "default", "none"]


@pytest.mark.parametrize("name", names("installer"))
def test_every_installer_keeps_the_contract(name: str) -> None:
    found = installer(name)

    assert isinstance(found.replaces_default, bool)
    for method in ("problems", "install"):
        wanted = list(inspect.signature(getattr(CniInstaller, method)).parameters)[1:]
        assert list(inspect.signature(getattr(found, method)).parameters) == wanted
        assert inspect.getdoc(getattr(found, method))


def test_an_installer_that_is_misspelt_is_hinted_at() -> None:
    with pytest.raises(ConfigError) as caught:
        installer("cillium")

    assert "unknown installer 'cillium': available are cilium, default, none" in str(caught.value)
    assert "Did you mean 'cilium'?" in str(caught.value)


def test_nothing_stops_cilium_where_helm_is(helm: Engine) -> None:
    assert installer("cilium").problems(SPEC) == []


def test_without_helm_there_is_no_cilium(helm: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cilium, "shutil", Which(None))

    (problem,) = installer("cilium").problems(SPEC)

    assert problem.text == "helm is not on PATH"
    assert problem.remedy == "install Helm 3.8 or newer: https://helm.sh"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("v3.7.2+g663a896", "helm 3.7 is too old"),
        ("v2.17.0", "helm 2.17 is too old"),
        ("Client: nothing", "helm does not tell its version: Client: nothing"),
    ],
)
def test_an_old_helm_is_told(helm: Engine, said: str, told: str) -> None:
    helm.usual["helm version"] = said

    assert _texts(installer("cilium").problems(SPEC)) == [told]


@pytest.mark.parametrize("said", ["v3.22+unreleased", "v4.0.1+g123"])
def test_a_newer_helm_is_fine(helm: Engine, said: str) -> None:
    helm.usual["helm version"] = said

    assert installer("cilium").problems(SPEC) == []


def test_a_chart_that_is_not_there_is_told(helm: Engine, tmp_path: Path) -> None:
    missing, empty = tmp_path / "gone", tmp_path

    for chart, words in ((missing, "is not there"), (empty, "is neither a folder with Chart.yaml")):
        (text,) = _texts(installer("cilium").problems(replace(SPEC, cni_chart=str(chart))))
        assert text.startswith(f"chart {chart} {words}")


def test_a_chart_in_a_registry_or_a_folder_is_fine(helm: Engine, tmp_path: Path) -> None:
    (tmp_path / "Chart.yaml").write_text("name: cilium\n")

    for chart in ("oci://quay.io/cilium/charts/cilium", str(tmp_path)):
        assert installer("cilium").problems(replace(SPEC, cni_chart=chart)) == []


def test_values_that_are_not_there_are_told(helm: Engine) -> None:
    (problem,) = installer("cilium").problems(replace(SPEC, cni_values=("/gone.yaml", "tunnel")))

    assert problem.text == "there are no Helm values in /gone.yaml: no such file"
    assert problem.remedy == "give a file, or one of ours: tunnel"


def test_a_tunnel_over_ipv6_is_for_ipv6_only_clusters(helm: Engine) -> None:
    (text,) = _texts(installer("cilium").problems(replace(DUAL, cni_values=("tunnel",))))

    assert text == "Cilium tunnels over IPv6 in IPv6-only clusters only"


def test_the_chart_is_the_makers_and_pinned(helm: Engine, tmp_path: Path) -> None:
    said = _install(tmp_path)

    (line,) = helm.lines("helm upgrade")
    assert f"--install cilium cilium --repo {cilium.REPOSITORY} --version {cilium.VERSION}" in line
    assert f"--namespace kube-system --kubeconfig {tmp_path}/kubeconfig" in line
    assert "--kube-context kind-c" in line
    assert cilium.VERSION in said[0]


def test_a_chart_of_ones_own_needs_no_registry(helm: Engine, tmp_path: Path) -> None:
    _install(tmp_path, replace(SPEC, cni_chart="/charts/cilium"))

    (line,) = helm.lines("helm upgrade")
    assert "--install cilium /charts/cilium --namespace" in line
    assert "--repo" not in line


def test_an_ipv6_only_cluster_routes_natively(helm: Engine, tmp_path: Path) -> None:
    _install(tmp_path)

    values = _values(helm)
    assert (values["ipv4"]["enabled"], values["ipv6"]["enabled"]) == (False, True)
    assert values["routingMode"] == "native"
    assert values["ipv6NativeRoutingCIDR"] == "fd00:10:244::/56"
    assert values["k8s"] == {"requireIPv6PodCIDR": True}
    assert values["kubeProxyReplacement"] is False
    assert "ipv4NativeRoutingCIDR" not in values
    assert "k8sServiceHost" not in values


def test_a_dual_stack_cluster_has_both_ranges(helm: Engine, tmp_path: Path) -> None:
    _install(tmp_path, DUAL)

    values = _values(helm)
    assert (values["ipv4"]["enabled"], values["ipv6"]["enabled"]) == (True, True)
    assert values["ipv6NativeRoutingCIDR"] == "fd00:10:244::/56"
    assert values["ipv4NativeRoutingCIDR"] == "10.244.0.0/16"
    assert values["k8s"] == {"requireIPv6PodCIDR": True, "requireIPv4PodCIDR": True}


def test_without_kube_proxy_cilium_is_told_where_the_api_server_is(
    helm: Engine, tmp_path: Path
) -> None:
    _install(tmp_path, replace(SPEC, kube_proxy=KubeProxy.NONE))

    values = _values(helm)
    assert values["kubeProxyReplacement"] is True
    assert (values["k8sServiceHost"], values["k8sServicePort"]) == ("fd00::2", "6443")


def test_values_that_were_given_win_over_ours(helm: Engine, tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(json.dumps({"ipv6NativeRoutingCIDR": "fd00::/8", "operator": {"x": 1}}))

    _install(tmp_path, replace(SPEC, cni_values=("tunnel", str(own))))

    values = _values(helm)
    assert (values["routingMode"], values["underlayProtocol"]) == ("tunnel", "ipv6")
    assert values["autoDirectNodeRoutes"] is False
    assert values["ipv6NativeRoutingCIDR"] == "fd00::/8"
    assert values["operator"] == {"replicas": 1, "x": 1}


def test_helms_last_words_are_told(helm: Engine, tmp_path: Path) -> None:
    helm.fails("helm upgrade", "Error: looks like\n is not a valid chart repository")

    with pytest.raises(ClusterError) as caught:
        _install(tmp_path)

    told = "Helm cannot install Cilium: Error: looks like is not a valid chart repository"
    assert caught.value.problem == told
    assert "--ipv6k8s-cni-chart" in caught.value.remedy


def test_a_helm_that_does_not_end_is_told(helm: Engine, tmp_path: Path) -> None:
    helm.say["helm upgrade"] = CommandFailed("`helm` did not end within 180 s")

    with pytest.raises(ClusterError, match="Cilium cannot be installed: `helm` did not end"):
        _install(tmp_path)


def test_a_cluster_without_a_network_needs_a_command() -> None:
    (problem,) = installer("none").problems(replace(OURS, cni_command=None))

    assert problem.text == "--ipv6k8s-cni none leaves the cluster without a network"
    assert "--ipv6k8s-cni-command" in problem.remedy
    assert installer("none").problems(OURS) == []


@pytest.mark.parametrize("name", ["default", "cilium"])
def test_a_command_that_nobody_would_run_is_told(helm: Engine, name: str) -> None:
    (problem,) = installer(name).problems(replace(OURS, cni=name))

    assert problem.text == f"--ipv6k8s-cni-command would not run: --ipv6k8s-cni is {name}"
    assert problem.remedy == "give --ipv6k8s-cni none as well"


def test_a_command_finds_the_cluster_and_what_was_asked_for(helm: Engine, tmp_path: Path) -> None:
    said = _install(tmp_path, replace(DUAL, cni="none", cni_command="make net"))

    (ran,) = helm.ran
    assert ran.line == "sh -ec make net"
    assert ran.environment == {
        "KUBECONFIG": f"{tmp_path}/kubeconfig",
        "IPV6K8S_CLUSTER": "c",
        "IPV6K8S_STACK": "dual",
        "IPV6K8S_POD_CIDR": "10.244.0.0/16,fd00:10:244::/56",
        "IPV6K8S_SERVICE_CIDR": "",
        "IPV6K8S_KUBE_PROXY": "",
    }
    assert said == ["installing the CNI: make net"]


@pytest.mark.parametrize(
    ("how", "told"),
    [
        (
            Finished(command=(), code=7, out="", err="no\nsuch file"),
            "failed with exit code 7: no / such file",
        ),
        (Finished(command=(), code=1, out="", err=""), "exit code 1: it said nothing"),
        (CommandFailed("`sh` did not end within 600 s"), "did not end within 600 s"),
    ],
)
def test_a_command_that_fails_has_the_last_word(
    helm: Engine, tmp_path: Path, how: Finished | BaseException, told: str
) -> None:
    helm.say["sh -ec"] = how

    with pytest.raises(ClusterError, match="the CNI command") as caught:
        _install(tmp_path, OURS)

    assert told in str(caught.value)
    assert "--ipv6k8s-keep" in caught.value.remedy
