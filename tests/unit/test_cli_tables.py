"""Tables of the command: with head and count for people, rows alone for programs."""

from __future__ import annotations

import sys

import pytest

from pytest_ipv6k8s.cli import main as cli
from pytest_ipv6k8s.cli.images import images
from pytest_ipv6k8s.clusters.providers.k3s import IMAGE
from pytest_ipv6k8s.plugin.looking import IN_POD, ON_NODE, runnable


@pytest.mark.parametrize(
    ("words", "head", "after"),
    [
        (["list", "--area", "NODE"], "ID LEVEL REQUIREMENT", "2 checks; "),
        (["images"], "IMAGE OPTION FOR", "5 images; "),
    ],
)
def test_only_a_terminal_gets_a_head_and_the_count(
    words: list[str],
    head: str,
    after: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cli.main(words)
    piped = capsys.readouterr().out.splitlines()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "200")

    cli.main(words)

    first, *rows, empty, last = capsys.readouterr().out.splitlines()
    assert first.split() == head.split()
    assert [row.split() for row in rows] == [row.split() for row in piped]
    assert (empty, last[: len(after)]) == ("", after)


def test_nothing_is_a_table_without_rows(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list", "--area", "NODE", "--level", "informational"]) == 0
    assert capsys.readouterr().out == ""


def test_images_are_those_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = {"PROBE": "r.example/python:3", "NODE": "r.example/node:1", "TESTBED": "r.example/t"}
    for name, image in ours.items():
        monkeypatch.setenv(f"IPV6K8S_{name}_IMAGE", image)

    assert [image for image, option, _ in images() if option != "-"] == [
        *(ours["PROBE"], ours["NODE"], IMAGE, ours["TESTBED"])
    ]


@pytest.mark.parametrize(
    ("provider", "image", "kind", "k3s"),
    [
        ("", "r.example/rancher/k3s:v1", "kindest/node", "r.example/rancher/k3s:v1"),
        ("k3s", "r.example/node:1", "kindest/node", "r.example/node:1"),
        ("kind", "r.example/node:1", "r.example/node:1", IMAGE),
        ("existing", "r.example/node:1", "kindest/node", IMAGE),
    ],
)
def test_an_image_of_nodes_is_that_of_one_provider(
    monkeypatch: pytest.MonkeyPatch, provider: str, image: str, kind: str, k3s: str
) -> None:
    monkeypatch.setenv("IPV6K8S_PROVIDER", provider)
    monkeypatch.setenv("IPV6K8S_NODE_IMAGE", image)

    assert [image for image, option, _ in images() if option.endswith("-node-image")] == [kind, k3s]


@pytest.mark.parametrize("note", [ON_NODE, IN_POD])
def test_images_of_commands_are_listed(note: str) -> None:
    command = runnable(f"ip -6 route{note}", node="n1", context="")

    assert any(f"--image={image} " in command for image, _, _ in images())


def test_a_target_in_docker_runs_the_image_of_the_environment(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPV6K8S_PROBE_IMAGE", "r.example/python:3")

    assert cli.main(["target", "host", "--docker"]) == 0

    assert " r.example/python:3 python3 -I " in capsys.readouterr().out
