"""`ipv6k8s doctor`: the engine, the images and the extras of this machine."""

from __future__ import annotations

import importlib.util

import pytest

from pytest_ipv6k8s import docker
from pytest_ipv6k8s.cli import main as cli
from pytest_ipv6k8s.clusters.contract import Problem
from pytest_ipv6k8s.clusters.providers.kind import Kind
from tests.programs import Engine

BASE = "debian:12-slim"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine that works, on a machine that is ready."""
    monkeypatch.setattr(Kind, "problems", lambda self, spec: [])
    made = Engine({})
    made.stand_in(monkeypatch, docker)
    return made


NO_KIND = Problem(text="kind is not on PATH", remedy="install it")


def test_a_problem_hides_none_of_the_images(
    capsys: pytest.CaptureFixture[str], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Kind, "problems", lambda self, spec: [NO_KIND])
    monkeypatch.setenv("IPV6K8S_NODE_IMAGE", "node:1")
    engine.fails("docker image inspect node:1")
    engine.fails("docker manifest inspect node:1")

    assert cli.main(["doctor"]) == cli.PROBLEM

    said = capsys.readouterr().out
    assert "image    probe: python:3-slim, on this machine" in said
    assert f"problem  {NO_KIND.text}\nremedy   {NO_KIND.remedy}\nproblem  node image" in said
    assert "is ready" not in said


@pytest.mark.parametrize("installed", [True, False])
def test_without_an_engine_no_image_is_looked_for(
    capsys: pytest.CaptureFixture[str],
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    installed: bool,
) -> None:
    monkeypatch.setattr(Kind, "problems", lambda self, spec: [NO_KIND])
    monkeypatch.setattr(docker, "is_installed", lambda: installed)
    engine.fails("docker info")

    assert cli.main(["doctor"]) == cli.PROBLEM

    assert capsys.readouterr().out == "problem  kind is not on PATH\nremedy   install it\n"
    assert "image" not in "".join(engine.lines())


def test_images_are_told_with_where_they_are(
    capsys: pytest.CaptureFixture[str], engine: Engine
) -> None:
    engine.fails("docker image inspect ipv6k8s/testbed")
    engine.fails(f"docker image inspect {BASE}")

    assert cli.main(["doctor"]) == cli.OK

    assert capsys.readouterr().out.splitlines() == [
        "image    node: the provider's own",
        "image    probe: python:3-slim, on this machine",
        f"image    testbed: {BASE}, can be pulled",
        "This machine is ready for provider kind.",
    ]


def test_an_image_that_is_nowhere_is_a_problem(
    capsys: pytest.CaptureFixture[str], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPV6K8S_NODE_IMAGE", "node:1")
    engine.fails("docker image inspect node:1")
    engine.fails("docker manifest inspect node:1")

    assert cli.main(["doctor"]) == cli.PROBLEM

    said = capsys.readouterr().out
    assert "problem  node image node:1 is not on this machine and cannot be pulled" in said
    assert "remedy   pull it beforehand, or give another with IPV6K8S_NODE_IMAGE" in said


def test_an_extra_that_is_not_installed_is_told(
    capsys: pytest.CaptureFixture[str], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    assert cli.main(["doctor"]) == cli.OK

    assert "pip install 'pytest-ipv6k8s[xdist]'" in capsys.readouterr().out
