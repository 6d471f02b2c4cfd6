"""An testbed that cannot be made here: a run does without, unless it was asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_ipv6k8s.addresses import Egress
from pytest_ipv6k8s.errors import (
    ClusterError,
    ConfigError,
    ControlChannelError,
    HostProblem,
    Inconclusive,
)
from pytest_ipv6k8s.external.model import ExternalNetwork
from pytest_ipv6k8s.kube.coredns import DnsDown
from pytest_ipv6k8s.plugin.external import ExternalSetup
from pytest_ipv6k8s.settings import External, ExternalSettings, Settings
from pytest_ipv6k8s.testbed import testbed
from pytest_ipv6k8s.timeouts import Timeouts
from tests.unit.fake_api import FakeApi
from tests.unit.test_declaration import FACTS

NO_TUN = HostProblem(
    "the testbed cannot be built here: there is no /dev/net/tun",
    remedy="allow privileged containers with TUN, or do without: --ipv6k8s-external none",
)


@pytest.fixture(autouse=True)
def _without_tun(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(*arguments: Any) -> testbed.Testbed:
        raise NO_TUN

    monkeypatch.setattr(testbed, "build", build)


def _setup(outside: External, told: list[str]) -> ExternalSetup:
    return ExternalSetup(
        Settings(external=ExternalSettings(source=outside)), told.append, Timeouts()
    )


def _begin(outside: External, told: list[str], *, owned: bool = True) -> ExternalNetwork | None:
    return _setup(outside, told).begin(FakeApi(), FACTS, owned=owned, run_id="abc", home=Path())


def test_a_machine_that_cannot_make_one_is_told_and_the_run_goes_on() -> None:
    told: list[str] = []

    assert _begin(External.AUTO, told) is None
    assert told[-1] == f"no external targets: {NO_TUN}"
    assert "--ipv6k8s-external none" in told[-1]


def test_a_machine_that_cannot_make_one_is_a_problem_when_it_was_asked_for() -> None:
    with pytest.raises(HostProblem, match="there is no /dev/net/tun"):
        _begin(External.TESTBED, [])


TROUBLE = [
    (DnsDown("CoreDNS does not come back"), [("META-03", False, "CoreDNS does not come back")]),
    (ClusterError("CoreDNS forwards nowhere"), []),
    (ControlChannelError("the API server does not answer"), []),
    (Inconclusive("timed out"), []),
]


@pytest.mark.parametrize("outside", [External.AUTO, External.TESTBED])
@pytest.mark.parametrize(("trouble", "facts"), TROUBLE, ids=[str(one) for one, _ in TROUBLE])
def test_a_cluster_too_broken_for_one_is_judged_without(
    outside: External,
    trouble: Exception,
    facts: list[tuple[str, bool, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def build(*arguments: Any) -> testbed.Testbed:
        raise trouble

    monkeypatch.setattr(testbed, "build", build)
    told: list[str] = []
    setup = _setup(outside, told)

    assert setup.begin(FakeApi(), FACTS, owned=True, run_id="abc", home=Path()) is None
    assert setup.lacking == (f"no external targets: {trouble}",) == tuple(told[-1:])
    assert [(fact.id, fact.ok, fact.actual) for fact in setup.harness] == facts
    assert setup.end(FakeApi()) == ""


@pytest.mark.parametrize("outside", [External.AUTO, External.NONE])
def test_none_is_made_beside_a_cluster_that_exists(outside: External) -> None:
    told: list[str] = []

    assert _begin(outside, told, owned=False) is None
    assert told == []


def test_an_egress_gateway_is_not_made_and_needs_targets_that_see_it() -> None:
    settings = ExternalSettings(egress=Egress.GATEWAY)
    seen = replace(settings, target=(("v6", "2001:db8::1", 443),))

    with pytest.raises(ConfigError, match="the testbed makes no egress gateway"):
        ExternalSetup(Settings(external=settings), print, Timeouts())
    setup = ExternalSetup(Settings(external=seen), print, Timeouts())

    assert setup.declared.external is not None
    assert setup.declared.external.egress is Egress.GATEWAY
