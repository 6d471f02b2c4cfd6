"""Ranges that kind can and cannot make."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from pytest_ipv6k8s import docker
from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.clusters import preflight
from pytest_ipv6k8s.clusters.contract import ClusterSpec
from pytest_ipv6k8s.clusters.providers import kind
from pytest_ipv6k8s.errors import HostProblem
from tests.programs import READY, Engine, network

NAME = "ipv6k8s-abc"
SPEC = ClusterSpec(run_id="abc", stack=Stack.IPV6, workers=1, probe_image="probe:1")


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Programs that do nothing to this machine."""
    made = Engine({"docker network inspect": network()})
    made.stand_in(monkeypatch, kind, docker)
    made.waits(monkeypatch)
    return made


@pytest.mark.parametrize(
    ("pods", "services", "told"),
    [
        ("fd01::/64", "fd02::/108", "fd01::/64 has no room for 2 nodes"),
        ("fd01::/48", "fd02::/107", "fd02::/107 is too large for Services"),
        ("fd01::/48", "fd01::/108", "have addresses in common"),
        ("fd01::/48", "fd99::/112", "fd99::/112 overlaps container network taken"),
        ("10.1.0.0/16", "fd02::/108", "10.1.0.0/16 does not fit stack ipv6"),
    ],
)
def test_ranges_that_kind_cannot_make_are_told_before_anything_is_made(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, pods: str, services: str, told: str
) -> None:
    monkeypatch.setattr(preflight, "read_facts", lambda docker: READY)
    monkeypatch.setattr(kind, "installed_version", lambda timeouts: kind.OLDEST)
    engine.usual["docker network ls"] = "1\n"
    taken = {"Name": "taken", "IPAM": {"Config": [{"Subnet": "fd99::/64"}]}}
    engine.usual["docker network inspect 1"] = json.dumps([taken])

    spec = replace(SPEC, pod_cidrs=(pods,), service_cidrs=(services,))
    (problem,) = kind.PROVIDER.problems(spec)

    assert told in problem.text
    assert not engine.lines("docker network create")


def test_ranges_that_fit_are_what_kind_is_told(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "read_facts", lambda docker: READY)
    monkeypatch.setattr(kind, "installed_version", lambda timeouts: kind.OLDEST)
    spec = replace(SPEC, pod_cidrs=("fd01::/48",), service_cidrs=("fd02::/108",))

    assert kind.PROVIDER.problems(spec) == []
    networking = yaml.safe_load(kind.configuration(spec))["networking"]
    assert networking["podSubnet"] == "fd01::/48"
    assert networking["serviceSubnet"] == "fd02::/108"


def test_the_network_keeps_clear_of_the_ranges(engine: Engine, tmp_path: Path) -> None:
    engine.usual["docker network inspect"] = network(subnets=["10.244.7.0/24"])

    with pytest.raises(HostProblem, match=r"chose 10\.244\.7\.0/24 for its network"):
        kind.PROVIDER.create(replace(SPEC, stack=Stack.DUAL), tmp_path, print)

    assert not engine.lines("kind create")
    assert f"docker network rm {NAME}" in engine.lines()
