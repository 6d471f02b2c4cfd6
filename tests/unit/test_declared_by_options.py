"""Targets and facts of the cluster that options give, beside those of the declaration."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ipv6k8s.addresses import Egress
from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.external.declaration import Declaration, read, with_options, with_targets
from pytest_ipv6k8s.external.model import INTERNET, Role
from tests.unit.test_declaration import _file

NOTHING = Declaration(stack=None, external=None)


def test_targets_of_options_come_on_top_of_those_of_the_file(tmp_path: Path) -> None:
    declared = read(_file(tmp_path, "targets: [{role: v6, addresses: ['::6'], tcp: 80}]"))
    given = [("dual", "::1", 443), ("dual", "192.0.2.1", 443)]

    network = with_targets(declared, given).external

    assert network is not None
    assert [target.role for target in network.targets] == [Role.V6, Role.DUAL]
    dual = network.find(Role.DUAL)
    assert dual is not None
    assert (dual.addresses, dual.tcp) == (("::1", "192.0.2.1"), 443)


def test_targets_of_options_need_no_file() -> None:
    network = with_targets(NOTHING, [("v6", "::1", 443)]).external

    assert network is not None
    assert network.find(Role.V6) is not None
    assert with_targets(NOTHING, ()) is NOTHING


def test_public_hosts_take_the_roles_that_nobody_else_has() -> None:
    network = with_targets(NOTHING, [("v6", "::1", 443), (INTERNET, "", 0)]).external

    assert network is not None
    v6 = network.find(Role.V6)
    assert v6 is not None
    assert v6.addresses == ("::1",)
    public = [network.find(Role.DUAL), network.find(Role.V4)]
    assert all(target and target.tcp and not target.identifies for target in public)


def test_what_options_say_of_the_cluster_stands_beside_targets(tmp_path: Path) -> None:
    given = with_targets(NOTHING, [("v6", "::1", 443)])
    declared = read(_file(tmp_path, "egress: native\nnetworkPolicy: none"))

    told = with_options(given, egress=Egress.GATEWAY, enforces_policy=True)

    assert told.external is not None
    assert (told.external.egress, told.network_policy) == (Egress.GATEWAY, True)
    assert with_options(given, egress=None, enforces_policy=False) == given
    for words, options in (
        ("--ipv6k8s-egress nptv6", {"egress": Egress.NPTV6, "enforces_policy": False}),
        ("--ipv6k8s-enforces-policy", {"egress": None, "enforces_policy": True}),
    ):
        with pytest.raises(ConfigError, match=f"{words}, and the declaration has"):
            with_options(declared, **options)


BAD_TARGETS = {
    "there is no role 'six', only dual": [("six", "::1", 1)],
    "'there' is no IP address": [("v6", "there", 1)],
    "a dual target needs one of each family": [("dual", "::1", 1)],
    "::1 is v6's already": [("v6", "::1", 1), ("narrow", "::1", 1)],
    "the addresses of dual have different ports": [("dual", "::1", 1), ("dual", "192.0.2.1", 2)],
}


@pytest.mark.parametrize("words", BAD_TARGETS)
def test_a_bad_target_of_an_option_is_named(words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        with_targets(NOTHING, BAD_TARGETS[words])

    assert words in str(caught.value)
    assert str(caught.value).startswith("--ipv6k8s-target: ")
    assert "See --ipv6k8s-target in --help." in str(caught.value)
