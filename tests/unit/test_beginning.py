"""What is made for a run: only what its items use."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_ipv6k8s import catalogue
from pytest_ipv6k8s.plugin.beginning import used_by
from pytest_ipv6k8s.plugin.run_facts import EVERYTHING, Used


def _item(id: str) -> Any:
    function = catalogue.functions()[id]
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    full = ("ipv6k8s_external",) if "external" in names else ()
    return SimpleNamespace(function=function, fixturenames=(*names, *full))


@pytest.mark.parametrize(
    ("ids", "used"),
    [
        (["SVC-05", "DNS-01"], Used(hosts=False, peers=False, external=False)),
        (["SVC-04"], Used(hosts=True, peers=False, external=False)),  # by a feature
        (["ADDR-16"], Used(hosts=True, peers=True, external=False)),  # where there are some
        (["ADDR-15"], Used(hosts=False, peers=True, external=False)),
        (["SVC-05", "EGR-01"], Used(hosts=False, peers=False, external=True)),
    ],
)
def test_checks_say_what_they_use(ids: list[str], used: Used) -> None:
    assert used_by([_item(id) for id in ids]) == used


def test_bundles_show_nodes_whatever_the_checks_use() -> None:
    assert used_by([_item("SVC-05")], bundles=True).hosts


def test_a_test_may_use_anything() -> None:
    def test_mine(ipv6k8s_probes: object) -> None: ...

    mine: Any = SimpleNamespace(function=test_mine, fixturenames=("ipv6k8s_probes",))

    assert used_by([_item("SVC-05"), mine]) == EVERYTHING
