"""What keeps a machine from making clusters: a table over its facts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.clusters import preflight
from pytest_ipv6k8s.clusters.contract import ClusterSpec
from pytest_ipv6k8s.clusters.preflight import HostFacts
from pytest_ipv6k8s.docker import Docker
from tests.programs import READY

NO_V6 = "IPv6 is switched off on this machine"
NO_FORWARD_6 = "IPv6 packets are not forwarded on this machine"
NO_FORWARD_4 = "IPv4 packets are not forwarded on this machine"
DENIED = "Got permission denied while trying to connect to the Docker daemon socket"
DOWN = "errors:\nCannot connect to the Docker daemon. Is it running?"

# What is other than on a machine that is ready; the problem; the end of the remedy.
ONE_PROBLEM: dict[str, tuple[dict[str, Any], str, str]] = {
    "no engine": (
        {"has_engine": False, "engine_is_here": False},
        "there is no container engine: docker is not on PATH",
        "Docker Desktop",
    ),
    "an engine that we cannot use": (
        {"has_engine": False, "engine_is_here": False, "others": ("podman",)},
        "there is no container engine: docker is not on PATH, and podman cannot be used",
        "a cluster in podman is tested as it is: ipv6k8s run --kubeconfig",
    ),
    "not in the group": (
        {"engine_error": DENIED, "engine_is_here": False},
        "this user may not talk to the container engine",
        "log in again",
    ),
    "engine down": (
        {"engine_error": DOWN, "engine_is_here": False},
        "the container engine does not answer: Cannot connect to the Docker daemon. Is it running?",
        "systemctl start docker, or Docker Desktop",
    ),
    "no IPv6": ({"ipv6_disabled": 1}, NO_V6, "-w net.ipv6.conf.all.disable_ipv6=0"),
    "no forwarding": (
        {"ipv6_forwarding": 0},
        NO_FORWARD_6,
        "-w net.ipv6.conf.all.forwarding=1",
    ),
    "few instances": (
        {"inotify_instances": 127},
        "fs.inotify.max_user_instances is 127, too few for nodes",
        "-w fs.inotify.max_user_instances=512",
    ),
    "few watches": (
        {"inotify_watches": 8191},
        "fs.inotify.max_user_watches is 8191, too few for nodes",
        "-w fs.inotify.max_user_watches=32768",
    ),
    "full disk": (
        {"free_bytes": 100 << 20},
        "the container engine's disk has 100 MiB left",
        "docker system prune",
    ),
}


def _problems(stack: Stack = Stack.IPV6, **facts: Any) -> list[str]:
    found = preflight.problems(replace(READY, **facts), ClusterSpec(run_id="abc", stack=stack))
    assert all(problem.remedy for problem in found)
    return [problem.text for problem in found]


@pytest.mark.parametrize("stack", Stack)
def test_a_machine_that_is_ready_has_no_problem(stack: Stack) -> None:
    assert _problems(stack) == []


@pytest.mark.parametrize("case", ONE_PROBLEM)
def test_each_lack_is_told_with_its_remedy(case: str) -> None:
    facts, text, remedy = ONE_PROBLEM[case]

    (problem,) = preflight.problems(replace(READY, **facts), ClusterSpec(run_id="abc"))

    assert problem.text == text
    assert problem.remedy.endswith(remedy)


@pytest.mark.parametrize(
    ("stack", "told"),
    [
        (Stack.IPV6, [NO_V6, NO_FORWARD_6]),
        (Stack.IPV4, [NO_FORWARD_4]),
        (Stack.DUAL, [NO_V6, NO_FORWARD_6, NO_FORWARD_4]),
        (Stack.DUAL_IPV6, [NO_V6, NO_FORWARD_6, NO_FORWARD_4]),
    ],
)
def test_only_the_families_of_the_stack_matter(stack: Stack, told: list[str]) -> None:
    assert _problems(stack, ipv6_disabled=1, ipv6_forwarding=0, ipv4_forwarding=0) == told


def test_what_cannot_be_read_is_no_problem() -> None:
    numbers = ["free_bytes", "inotify_instances", "inotify_watches"]
    switches = ["ipv6_disabled", "ipv6_forwarding", "ipv4_forwarding"]
    unknown = dict.fromkeys([*numbers, *switches])

    assert _problems(Stack.DUAL, **unknown) == []


def test_the_kernel_does_not_matter_when_the_engine_is_elsewhere() -> None:
    assert _problems(engine_is_here=False, ipv6_disabled=1, inotify_watches=1) == []


def test_all_problems_are_told_at_once() -> None:
    assert len(_problems(inotify_watches=1, ipv6_disabled=1, free_bytes=0)) == 3


def _program(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def _facts(folder: Path, monkeypatch: pytest.MonkeyPatch, **programs: str) -> HostFacts:
    for name, script in programs.items():
        _program(folder, name, script)
    monkeypatch.setenv("PATH", str(folder))
    return preflight.read_facts(Docker())


def test_a_machine_without_programs_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = _facts(tmp_path, monkeypatch)

    assert (facts.has_engine, facts.engine_is_here) == (False, False)


def test_an_engine_on_this_machine_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)

    facts = _facts(
        tmp_path,
        monkeypatch,
        docker=f"echo 'Debian GNU/Linux 12|{tmp_path}'",
    )

    assert facts.has_engine
    assert facts.engine_is_here
    assert facts.engine_error == ""
    assert facts.free_bytes


@pytest.mark.parametrize("host", ["tcp://10.0.0.1:2375", "ssh://me@there"])
def test_an_engine_elsewhere_is_told_by_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)

    facts = _facts(tmp_path, monkeypatch, docker="echo 'Debian|/'")

    assert not facts.engine_is_here
    assert facts.free_bytes is None


def test_docker_desktop_has_a_kernel_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not _facts(tmp_path, monkeypatch, docker="echo 'Docker Desktop|/'").engine_is_here


def test_an_engine_that_does_not_answer_is_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = _facts(tmp_path, monkeypatch, docker="echo 'Cannot connect' >&2; exit 1")

    assert facts.engine_error == "Cannot connect"
    assert not facts.engine_is_here
