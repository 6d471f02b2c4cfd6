"""A run undoes what it did, wherever it breaks off; nothing here is real."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from pytest_ipv6k8s.clusters import ownership
from pytest_ipv6k8s.clusters.contract import Cluster, ClusterSpec, Problem
from pytest_ipv6k8s.errors import ClusterError, HostProblem
from pytest_ipv6k8s.external.model import TESTBED
from pytest_ipv6k8s.kube import inventory, rights
from pytest_ipv6k8s.plugin import run
from pytest_ipv6k8s.plugin.external import ExternalSetup
from pytest_ipv6k8s.plugin.run import Run
from pytest_ipv6k8s.probe import control
from pytest_ipv6k8s.probe.deploy import Deployed
from pytest_ipv6k8s.process import Progress
from pytest_ipv6k8s.settings import External, ExternalSettings, Settings
from pytest_ipv6k8s.timeouts import Timeouts
from tests.unit.fake_api import FakeApi
from tests.unit.test_declaration import FACTS

NODE = inventory.Node(
    name="n",
    internal_ips=(),
    pod_cidrs=(),
    labels={},
    kubelet="",
    kernel="",
    runtime="",
)
CONTROLLED = control.Controlled(
    negative="", servers="", domain="example", nameservers=(), sctp=False, ping=False
)


@dataclass
class Provider:
    """Makes clusters of nothing and records the steps of a run."""

    owned: bool = True
    steps: list[str] = field(default_factory=list)
    breaks: dict[str, BaseException] = field(default_factory=dict)
    states: list[str] = field(default_factory=list)

    def step(self, name: str) -> None:
        """Record a step, or break off at it."""
        self.steps.append(name)
        if name in self.breaks:
            raise self.breaks[name]

    def problems(self, spec: ClusterSpec) -> list[Problem]:
        """Return none."""
        return []

    def create(self, spec: ClusterSpec, home: Path, progress: Progress) -> Cluster:
        """Make a kubeconfig."""
        self.states = [state.run_id for state in ownership.remembered()]
        self.step("create")
        (home / "kubeconfig").write_text("")
        return Cluster(
            name="c", provider="x", kubeconfig=home / "kubeconfig", context="c", owned=self.owned
        )

    def delete(self, name: str) -> None:
        """Delete nothing."""
        self.step(f"delete {name}")

    def on_nodes(self, name: str, script: str, timeout: float) -> dict[str, str]:
        """Return no node."""
        return {}


Begin = Callable[..., Run]


@pytest.fixture
def provider() -> Provider:
    """The provider of the run's cluster."""
    return Provider()


@pytest.fixture
def begin(provider: Provider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Begin:
    """Make a run whose every step is one of the provider's."""

    def step(name: str, result: object) -> Callable[..., object]:
        def carry_out(*_: object, **__: object) -> object:
            provider.step(name)
            return result

        return carry_out

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(run, "Api", lambda *_, **__: FakeApi())
    monkeypatch.setattr(rights, "require", lambda *_, **__: None)
    monkeypatch.setattr(inventory, "read", step("read", replace(FACTS, nodes=(NODE,))))
    monkeypatch.setattr(
        run,
        "deploy",
        step("deploy", Deployed(namespace="n", pods=(), hosts=(), peers=(), services=())),
    )
    monkeypatch.setattr(control, "control", step("control", CONTROLLED))
    monkeypatch.setattr(run, "remove", step("remove probes", []))

    def made(*, keep: bool = False, messages: list[str] | None = None) -> Run:
        settings = Settings(
            provider="x",
            cluster=ClusterSpec(keep=keep),
            external=ExternalSettings(source=External.NONE),
        )
        return Run(settings, Timeouts(), (messages or []).append, lambda name: provider)

    return made


def test_a_cluster_that_was_made_is_deleted_once(provider: Provider, begin: Begin) -> None:
    begun = begin()

    begun.start()
    begun.close()
    begun.close()

    steps = ["create", "read", "deploy", "control", f"delete ipv6k8s-{begun.id}"]
    assert provider.steps == steps
    assert provider.states == [begun.id]
    assert ownership.remembered() == []
    assert [fact.id for fact in begun.harness] == [
        "META-01",
        "META-04",
        "META-05",
        "META-08",
        "META-06",
    ]


@pytest.mark.parametrize("step", ["create", "read", "deploy", "control"])
@pytest.mark.parametrize("how", [ClusterError("no"), KeyboardInterrupt(), OSError("full")], ids=str)
def test_wherever_a_run_breaks_off_its_cluster_goes(
    provider: Provider, begin: Begin, step: str, how: BaseException
) -> None:
    provider.breaks[step] = how
    begun = begin()

    with pytest.raises(type(how)):
        begun.start()
    begun.close()

    assert provider.steps[-2:] == [step, f"delete ipv6k8s-{begun.id}"]
    assert ownership.remembered() == []


def test_a_cluster_of_somebody_else_loses_our_probes_only(provider: Provider, begin: Begin) -> None:
    provider.owned = False
    begun = begin()

    begun.start()
    begun.close()

    assert provider.steps == ["create", "read", "deploy", "control", "remove probes"]
    assert ownership.remembered() == []


def test_half_deployed_probes_are_removed(provider: Provider, begin: Begin) -> None:
    provider.owned = False
    provider.breaks["deploy"] = KeyboardInterrupt()
    begun = begin()

    with pytest.raises(KeyboardInterrupt):
        begun.start()
    begun.close()

    assert provider.steps[-2:] == ["deploy", "remove probes"]


def test_a_kept_cluster_stays_without_our_probes(provider: Provider, begin: Begin) -> None:
    messages = ["first"]
    begun = begin(keep=True, messages=messages)

    begun.start()
    begun.close()

    assert provider.steps[-1] == "remove probes"
    assert messages[-1] == f"and delete it with `ipv6k8s reap --kept ipv6k8s-{begun.id}`"
    assert messages[-2].endswith("/kubeconfig --ipv6k8s-allow=privileged")
    assert [state.kept for state in ownership.remembered()] == [True]


def test_a_kept_cluster_is_used_again_with_the_testbed_where_there_was_one(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, messages = SimpleNamespace(source=TESTBED), ["first"]
    monkeypatch.setattr(ExternalSetup, "begin", lambda *_, **__: network)
    monkeypatch.setattr(ExternalSetup, "control", lambda *_: None)
    begun = begin(keep=True, messages=messages)

    begun.start()
    begun.close()

    assert messages[-2].endswith(" --ipv6k8s-external=testbed")


def test_what_never_had_a_kubeconfig_is_not_kept(provider: Provider, begin: Begin) -> None:
    provider.breaks["create"] = ClusterError("no")
    begun = begin(keep=True)

    with pytest.raises(ClusterError):
        begun.start()
    begun.close()

    assert provider.steps == ["create", f"delete ipv6k8s-{begun.id}"]


def test_a_cluster_that_cannot_be_deleted_is_remembered(provider: Provider, begin: Begin) -> None:
    messages = ["first"]
    begun = begin(messages=messages)
    provider.breaks[f"delete ipv6k8s-{begun.id}"] = HostProblem("the engine is gone")

    begun.start()
    begun.close()

    assert "may still be there: the engine is gone" in messages[-1]
    assert [state.run_id for state in ownership.remembered()] == [begun.id]
    assert not begun.harness[-1].ok


def test_ctrl_c_while_probes_are_removed_breaks_off_no_other_step(
    provider: Provider, begin: Begin
) -> None:
    provider.owned = False
    provider.breaks["remove probes"] = KeyboardInterrupt()
    begun = begin()
    begun.start()

    with pytest.raises(KeyboardInterrupt):
        begun.close()

    assert ownership.remembered() == []
