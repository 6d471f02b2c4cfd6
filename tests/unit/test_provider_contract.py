"""What every provider promises, asked of ours and of the one in the documentation."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pytest

from pytest_ipv6k8s import docker
from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.clusters import preflight
from pytest_ipv6k8s.clusters.contract import ClusterProvider, ClusterSpec, provider_names
from pytest_ipv6k8s.clusters.providers import existing, k3s, kind
from pytest_ipv6k8s.errors import Ipv6k8sError
from pytest_ipv6k8s.process import CommandFailed, Finished
from tests.house.tree import ROOT
from tests.programs import Engine, network

NAME = "ipv6k8s-abc"
PAGE = ROOT / "docs" / "a-provider-of-your-own.md"
KUBECONFIG = "current-context: one\ncontexts: [{name: one, context: {}}]\n"
LOOKS = re.compile(
    r"docker (info|version|ps|inspect|logs|port|image inspect|network (ls|inspect))\b|kind version"
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A provider and the programs that it runs.

    Attributes:
        provider: of whom promises are asked.
        modules: whose programs are recorded.
        usual: what programs say, by the beginning of a command line.
        makes: how the command lines begin that make something.
        gone: what programs say when there is nothing to delete.
    """

    provider: ClusterProvider
    modules: tuple[ModuleType, ...] = ()
    usual: Mapping[str, str] = field(default_factory=dict)
    makes: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


def _of_the_page(folder: Path) -> Case:
    """Load the provider that is printed in the documentation."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (source,) = blocks
    assert len(source.splitlines()) < 60
    file = folder / "our_clusters.py"
    file.write_text(source)
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Case(provider=module.PROVIDER, modules=(module,), makes=("our-cluster up",))


def _kind(folder: Path) -> Case:
    return Case(
        provider=kind.PROVIDER,
        modules=(kind, docker, preflight),
        usual={
            "docker network inspect": network(),
            "kind get nodes": f"{NAME}-control-plane\n{NAME}-worker\n",
        },
        makes=("docker network create", "kind create"),
        gone=("docker network inspect",),
    )


def _k3s(folder: Path) -> Case:
    server, agent = f"{NAME}-server", f"{NAME}-agent-1"
    return Case(
        provider=k3s.PROVIDER,
        modules=(k3s, docker, preflight),
        usual={
            "docker version": "1.48",
            "docker image inspect --format": '["/bin/k3s"]',
            "docker network inspect": network(ipv4=False, subnets=["fd12::/64"]),
            f"docker exec {server} k3s kubectl": f"node/{server}\nnode/{agent}",
            f"docker exec {server} cat": "clusters: [{cluster: {}}]",
            "docker port": "[::1]:32768",
            "docker ps": f"{agent} {server}",
        },
        makes=("docker network create", "docker run"),
        gone=("docker network inspect",),
    )


def _existing(folder: Path) -> Case:
    return Case(provider=existing.PROVIDER)


CASES: dict[str, Callable[[Path], Case]] = {
    "existing": _existing,
    "kind": _kind,
    "k3s": _k3s,
    "the page's": _of_the_page,
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    """A provider."""
    return CASES[request.param](tmp_path)


@pytest.fixture
def spec(tmp_path: Path) -> ClusterSpec:
    """What is wanted."""
    kubeconfig = tmp_path / "a-cluster-that-exists"
    kubeconfig.write_text(KUBECONFIG)
    return ClusterSpec(
        run_id="abc", stack=Stack.IPV6, workers=1, probe_image="probe:1", kubeconfig=kubeconfig
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The run's own folder."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def _engine(case: Case, monkeypatch: pytest.MonkeyPatch) -> Engine:
    programs = Engine(case.usual)
    programs.stand_in(monkeypatch, *case.modules)
    programs.waits(monkeypatch)
    return programs


def _makes(case: Case, lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith(case.makes)] if case.makes else []


def test_every_provider_of_ours_is_asked() -> None:
    assert set(provider_names()) <= set(CASES)


def test_problems_are_looked_for_and_nothing_is_changed(
    case: Case, spec: ClusterSpec, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = _engine(case, monkeypatch)

    problems = case.provider.problems(spec)

    assert [line for line in programs.lines() if not LOOKS.match(line)] == []
    assert all(problem.text and problem.remedy for problem in problems)
    assert list(home.iterdir()) == []


def test_a_cluster_is_returned_and_progress_is_told_line_by_line(
    case: Case, spec: ClusterSpec, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = _engine(case, monkeypatch)
    said: list[str] = []

    cluster = case.provider.create(spec, home, said.append)

    assert cluster.owned == bool(case.makes) == bool(_makes(case, programs.lines()))
    assert bool(said) == cluster.owned
    assert all(line and "\n" not in line for line in said)
    if cluster.owned:
        assert cluster.name == NAME
        assert cluster.kubeconfig.parent == home


@pytest.mark.parametrize("how", [KeyboardInterrupt(), CommandFailed("no answer")], ids=repr)
def test_whatever_breaks_off_all_that_was_begun_is_removed(
    case: Case,
    spec: ClusterSpec,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: BaseException,
) -> None:
    programs = _engine(case, monkeypatch)
    case.provider.create(spec, home, lambda line: None)
    steps = list(dict.fromkeys(programs.lines()))
    programs.ran.clear()
    case.provider.delete(NAME)
    deletion = programs.lines()

    for number in range(len(steps)):
        interrupted = _engine(case, monkeypatch)
        interrupted.breaks_off(after=number, how=how)

        with pytest.raises((KeyboardInterrupt, Ipv6k8sError)):
            case.provider.create(spec, home, lambda line: None)

        lines = interrupted.lines()
        begun = _makes(case, lines)
        assert lines[number + 1 :] == (deletion if begun else []), steps[number]


def test_deleting_twice_is_fine(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = _engine(case, monkeypatch)
    case.provider.delete(NAME)
    for beginning in case.gone:
        programs.say[beginning] = Finished(command=(), code=1, out="", err="no such thing")

    case.provider.delete(NAME)

    assert not _makes(case, programs.lines())


def test_a_script_on_the_nodes_makes_nothing(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = _engine(case, monkeypatch)
    programs.usual["our-cluster nodes"] = "n1 n2"
    programs.usual["our-cluster ssh"] = "1: lo"

    said = case.provider.on_nodes(NAME, "ip addr", 5)

    assert bool(said) == bool(case.makes)
    assert not _makes(case, programs.lines())
