"""The command ``ipv6k8s explain``: what is needed, whose fixes come first, what can be copied."""

from __future__ import annotations

import re

import pytest

from pytest_ipv6k8s.cli import main as cli
from pytest_ipv6k8s.features import Feature
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
