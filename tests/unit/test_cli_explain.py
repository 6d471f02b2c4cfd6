"""The command ``ipv6k8s explain``: what is needed, whose fixes come first, what can be copied."""

from __future__ import annotations

import re
import shlex
import sys

import pytest

from pytest_ipv6k8s import catalogue, data
from pytest_ipv6k8s.cli import main as cli
from pytest_ipv6k8s.features import Feature
from pytest_ipv6k8s.fixes import fixes_of
from pytest_ipv6k8s.remedies import what, without_cluster


def test_what_is_needed_is_said_without_what_only_a_cluster_shows(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["explain", "POL-01", "SVC-01", "EGR-01"]) == 0

    needs = re.findall(r"^needs      (.*)$", capsys.readouterr().out, re.MULTILINE)
    assert "a CNI that enforces NetworkPolicy" in needs
    assert "two probes on one node" in needs
    assert any(need.endswith(": declare `tcp` of `dual` or `v6`") for need in needs)


def test_no_feature_says_of_no_cluster_what_it_lacks() -> None:
    texts = [without_cluster(feature.sentence) for feature in Feature]

    assert not [text for text in texts if "this cluster's" in text or "no node had" in text]
    assert what(Feature.WELL_KNOWN_PREFIX.sentence).startswith("64:ff9b::/96 and a private host")


def _known_networks_told(capsys: pytest.CaptureFixture[str], cni: str) -> str:
    assert cli.main(["explain", "--cni", cni, "POL-01"]) == 0
    return capsys.readouterr().err


def test_a_network_of_which_nothing_is_known_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    known = "but of flannel, Cilium, Calico"

    assert f" CNI 'nonsense', {known}\n" in _known_networks_told(capsys, "nonsense")
    assert _known_networks_told(capsys, "Celium").endswith(f"{known}. Did you mean cilium?\n")
    assert _known_networks_told(capsys, "CALICO") == ""


def _as_a_shell_reads(text: str) -> list[str]:
    return shlex.split(text.replace("\\\n", " "))


@pytest.mark.parametrize("columns", ["60", "80"])
def test_what_is_to_be_copied_is_whole_at_any_width(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", columns)

    for id, declared in catalogue.checks().items():
        cli.main(["explain", id])
        shown = capsys.readouterr().out
        look = shown.rpartition("Look further:  ")[2]
        assert _as_a_shell_reads(look) == _as_a_shell_reads(declared.look)
        for fix in fixes_of(id):
            assert [one for one in re.findall(r"`[^`]+`", fix.text) if one not in shown] == []


def test_what_a_check_has_been_seen_to_catch_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real, caught = data.text, '{"SVC-05": ["hairpin mode is off"]}'
    monkeypatch.setattr(data, "text", lambda n: caught if n == "detection.json" else real(n))

    cli.main(["explain", "SVC-05", "SVC-04"])

    assert capsys.readouterr().out.count("Seen to catch, in real clusters:\n  hairpin") == 1
