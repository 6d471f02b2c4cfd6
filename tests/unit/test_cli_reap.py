"""The command ``ipv6k8s reap`` where something stays."""

from __future__ import annotations

import pytest

from pytest_ipv6k8s.cli import main as cli


def test_what_does_not_go_is_named_and_is_a_problem(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "_reap_namespaces", lambda *_: (["ipv6k8s-abc"], ["ipv6k8s-xyz"]))

    assert cli.main(["reap", "--kubeconfig", "k"]) == 1

    first, second = capsys.readouterr().out.splitlines()
    assert first == "removed  ipv6k8s-abc"
    assert second.startswith("still there  ipv6k8s-xyz: ")
