"""What would run on a cluster, told without making anything there."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from pytest_ipv6k8s import catalogue
from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.cli import connection
from pytest_ipv6k8s.cli import main as cli
from pytest_ipv6k8s.kube import inventory
from tests.unit.test_features import EMPTY, NODE

DUAL = replace(EMPTY, stack=Stack.DUAL, nodes=(NODE, replace(NODE, name="n2")))
Looked = dict[str, tuple[bool | None, str]]


@pytest.fixture
def look(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Looked]:
    """List the checks for a cluster of which this is known."""
    monkeypatch.setattr(connection, "api", lambda chosen: None)

    def carry_out(*options: str, facts: inventory.Inventory = DUAL) -> Looked:
        monkeypatch.setattr(inventory, "read", lambda api: facts)
        assert cli.main(["list", "--json", "--here", *options]) == 0
        listed = json.loads(capsys.readouterr().out)
        return {one["id"]: (one["here"]["runs"], one["here"]["reason"]) for one in listed}

    return carry_out


def test_every_check_runs_or_says_why_not_or_what_only_probes_know(
    look: Callable[..., Looked],
) -> None:
    found = look()

    assert list(found) == list(catalogue.checks())
    assert {runs for runs, _ in found.values()} == {True, False, None}
    assert all(bool(reason) is (runs is not True) for runs, reason in found.values())


@pytest.mark.parametrize(
    ("id", "options", "runs", "reason"),
    [
        ("API-01", (), True, ""),
        ("ADDR-16", (), True, ""),
        ("ADDR-06", (), False, "not applicable, stack dual: applies to ipv6"),
        ("SVC-01", (), None, "needs probes to know: two probes on one node"),
        ("SVC-04", (), False, "needs host-network probe pods: allow them with"),
        (
            *("SVC-04", ("--ipv6k8s-allow", "privileged"), None),
            "needs probes to know: two probes on one node and host-network probe pods",
        ),
        ("POL-01", (), False, "needs a CNI that enforces NetworkPolicy: this cluster's is not"),
        ("POL-01", ("--ipv6k8s-enforces-policy",), True, ""),
        ("POL-02", ("--ipv6k8s-enforces-policy",), None, "needs probes to know: a Service of the"),
        ("EGR-01", (), False, "needs an IPv6 target with a TCP port: declare"),
        ("EGR-01", ("--ipv6k8s-target=v6=[2001:db8::1]:443",), True, ""),
        (
            *("EGR-01", ("--ipv6k8s-target=v6=[2001:db8::1]:443", "--ipv6k8s-external=none")),
            *(False, "needs an IPv6 target with a TCP port"),
        ),
        (
            *("EGR-04", ("--ipv6k8s-target=v6=[2001:db8::1]:443", "--ipv6k8s-egress=native")),
            *(False, "not applicable, declared not to be there: masqueraded egress"),
        ),
    ],
)
def test_api_and_options_decide(
    id: str, options: tuple[str, ...], runs: bool | None, reason: str, look: Callable[..., Looked]
) -> None:
    found = look(*options)[id]

    assert (found[0], found[1].startswith(reason)) == (runs, True), found


def test_a_table_has_what_stands_in_the_way(
    look: Callable[..., Looked], capsys: pytest.CaptureFixture[str]
) -> None:
    look()

    assert cli.main(["list", "--area", "svc", "--context", "c"]) == 0
    first = capsys.readouterr().out.splitlines()[0].split(maxsplit=2)

    assert first == ["SVC-01", "core", "needs probes to know: two probes on one node"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--ipv6k8s-allow=privileged"], "--ipv6k8s-allow is given, and no cluster"),
        (["--here", "--ipv6k8s-external=testbed"], "what a testbed has is not known"),
        (["--here", "--ipv6k8s-egress=nat66"], "did you mean 'masquerade'?"),
    ],
)
def test_an_option_that_cannot_be_heeded_is_refused(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["list", *arguments]) == cli.USAGE
    assert told in capsys.readouterr().err
