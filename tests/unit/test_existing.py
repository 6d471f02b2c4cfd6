"""The provider of clusters that exist: it finds, and it makes and deletes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster, ClusterSpec, KubeProxy
from pytest_ipv6k8s.clusters.providers.existing import PROVIDER
from pytest_ipv6k8s.errors import ConfigError

KUBECONFIG = """
current-context: one
contexts: [{name: one, context: {}}, {name: two, context: {}}]
"""


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    """A kubeconfig with two contexts."""
    path = tmp_path / "config"
    path.write_text(KUBECONFIG)
    return path


def _create(path: Path | None, home: Path, context: str | None = None) -> Cluster:
    spec = ClusterSpec(run_id="abc", kubeconfig=path, context=context)
    return PROVIDER.create(spec, home, lambda line: None)


def test_a_cluster_is_found_by_its_kubeconfig_and_is_not_ours(
    kubeconfig: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"

    assert _create(kubeconfig, home) == Cluster(
        name="one", provider="existing", kubeconfig=kubeconfig, context="one", owned=False
    )
    assert not home.exists()


def test_another_context_is_another_cluster(kubeconfig: Path, tmp_path: Path) -> None:
    assert _create(kubeconfig, tmp_path, "two").context == "two"


def test_the_environment_names_the_kubeconfig_when_nobody_else_does(
    kubeconfig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))

    assert _create(None, tmp_path).kubeconfig == kubeconfig


def test_an_unknown_context_is_an_error(kubeconfig: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has no context 'three'"):
        _create(kubeconfig, tmp_path, "three")


def test_nothing_is_deleted_or_run_on_nodes(kubeconfig: Path, tmp_path: Path) -> None:
    cluster = _create(kubeconfig, tmp_path)

    PROVIDER.delete(cluster.name)

    assert kubeconfig.read_text() == KUBECONFIG
    assert PROVIDER.on_nodes(cluster.name, "ip addr", 5) == {}


def test_this_machine_needs_nothing() -> None:
    assert PROVIDER.problems(ClusterSpec(run_id="abc")) == []


def test_a_network_is_for_clusters_that_are_made() -> None:
    spec = ClusterSpec(run_id="abc", cni="cilium", kube_proxy=KubeProxy.NONE)

    told = [problem.text for problem in PROVIDER.problems(spec)]

    why = "is for clusters that are made, and this one exists"
    assert told == [f"--ipv6k8s-cni cilium {why}", f"--ipv6k8s-kube-proxy none {why}"]
