"""``ipv6k8s.yaml``: what it may say, and one clear sentence for what it may not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from pytest_ipv6k8s.addresses import Egress, Stack
from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.external.declaration import Declaration, draft, read, text, with_targets
from pytest_ipv6k8s.external.model import ExternalNetwork, Role
from pytest_ipv6k8s.kube.inventory import Inventory
from pytest_ipv6k8s.testbed import testbed

HEAD = "apiVersion: ipv6k8s/v1alpha1\nkind: ClusterDeclaration\n"


def _file(folder: Path, body: str) -> Path:
    path = folder / "ipv6k8s.yaml"
    path.write_text(HEAD + body)
    return path


def test_a_testbed_can_be_declared(tmp_path: Path) -> None:
    world = testbed.network_of(Egress.NATIVE)
    path = tmp_path / "ipv6k8s.yaml"
    path.write_text(text(Stack.DUAL, world))

    declared = read(path)

    assert declared.stack is Stack.DUAL
    assert declared.external is not None
    assert declared.external == ExternalNetwork.from_plain({**world.plain(), "source": "declared"})


def test_a_draft_is_a_declaration_that_promises_nothing_outside(tmp_path: Path) -> None:
    path = tmp_path / "ipv6k8s.yaml"
    path.write_text(draft(Stack.IPV6, about="v1.36.3"))

    declared = read(path)

    assert (declared.stack, declared.external) == (Stack.IPV6, None)


def test_a_completed_draft_is_a_declaration(tmp_path: Path) -> None:
    lines = draft(Stack.IPV6, about="v1.36.3").splitlines()
    keys = (
        "# egress",
        "# networkPolicy",
        "# nat64",
        "#   ",
        "# dns64",
        "# clat",
        "# proxy",
        "# registry",
        "# targets",
        "# - ",
    )
    path = tmp_path / "ipv6k8s.yaml"
    path.write_text("\n".join(x[2:] if x.startswith(keys) else x for x in lines))

    world = read(path).external

    assert world is not None
    assert world.egress is Egress.MASQUERADE
    assert world.find(Role.DUAL) is not None


FACTS = Inventory(
    version="v1",
    stack=Stack.IPV6,
    nodes=(),
    service_cidrs=(),
    dns=None,
    cni="c",
    proxy="p",
    host_network_pods=False,
)


@pytest.mark.parametrize(
    ("line", "inferred", "engine"),
    [
        ("", "", ""),
        ("", "cilium", "cilium"),
        ("networkPolicy: enforced", "", "declared"),
        ("networkPolicy: enforced", "cilium", "cilium"),
        ("networkPolicy: none", "cilium", ""),
    ],
)
def test_what_is_declared_of_network_policy_overrides_what_is_inferred(
    tmp_path: Path, line: str, inferred: str, engine: str
) -> None:
    declared = read(_file(tmp_path, line))

    assert declared.over(replace(FACTS, policy_engine=inferred)).policy_engine == engine


def test_a_draft_says_what_is_known_of_network_policy(tmp_path: Path) -> None:
    assert "inferred (cilium does)" in draft(Stack.IPV6, about="v1", policy_engine="cilium")
    assert "inferred (nothing here is known to)" in draft(Stack.IPV6, about="v1")


BAD = {
    "unknown enforcement": ("networkPolicy: maybe", "'maybe' is not one of"),
    "not yaml": ("x: {", "is not YAML"),
    "unknown key": ("colour: red", "'colour' was unexpected"),
    "unknown stack": ("stack: v6", "stack: 'v6' is not one of"),
    "illegal length": (
        "nat64: {prefixes: ['2001:db8::/95']}",
        "[0]: 2001:db8::/95 has an illegal",
    ),
    "u-octet": (
        "nat64: {prefixes: ['2001:db8:0:0:100::/96']}",
        "u-octet (bits 64 to 71)",
    ),
    "no prefix": ("nat64: {prefixes: ['198.51.100.0/24']}", "is no IPv6 prefix"),
    "pool": (
        "nat64: {prefixes: ['64:ff9b::/96'], pool: ['::/0']}",
        "'::/0' is no IPv4 CIDR",
    ),
    "dns64 alone": ("dns64: true", "dns64: there is no nat64"),
    "no address": ("targets: [{role: v6, addresses: [there], tcp: 1}]", "'there' is no IP address"),
    "two v6": ("targets: [{role: v6, addresses: ['::1', '::2'], tcp: 1}]", "two of one family"),
    "half a dual": (
        "targets: [{role: dual, addresses: ['::1'], tcp: 1}]",
        "needs one of each",
    ),
    "no port": ("targets: [{role: v6, addresses: ['::1']}]", "it has no port"),
    "port": ("targets: [{role: v6, addresses: ['::1'], tcp: 70000}]", "70000 is greater than"),
    "overlap": (
        "targets: [{role: v6, addresses: ['::1'], tcp: 1}, {role: narrow, addresses: ['::1'], "
        "tcp: 1}]",
        "::1 is v6's already",
    ),
    "same role": (
        "targets: [{role: v6, addresses: ['::1'], tcp: 1}, {role: v6, addresses: ['::2'], tcp: 1}]",
        "role v6 is given twice",
    ),
    "credentials": ("proxy: http://me:secret@[::1]:3128", "proxy: "),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_named(tmp_path: Path, case: str) -> None:
    body, words = BAD[case]

    with pytest.raises(ConfigError) as caught:
        read(_file(tmp_path, body))

    assert words in str(caught.value)
    assert str(tmp_path / "ipv6k8s.yaml") in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read(tmp_path / "none.yaml")


def test_a_list_is_no_declaration(tmp_path: Path) -> None:
    path = tmp_path / "ipv6k8s.yaml"
    path.write_text(yaml.safe_dump([1]))

    with pytest.raises(ConfigError, match="is no declaration"):
        read(path)


NOTHING = Declaration(stack=None, external=None)


def test_targets_of_options_come_on_top_of_those_of_the_file(tmp_path: Path) -> None:
    declared = read(_file(tmp_path, "targets: [{role: v6, addresses: ['::6'], tcp: 80}]"))
    given = [("dual", "::1", 443), ("dual", "192.0.2.1", 443)]

    world = with_targets(declared, given).external

    assert world is not None
    assert [target.role for target in world.targets] == [Role.V6, Role.DUAL]
    dual = world.find(Role.DUAL)
    assert dual is not None
    assert (dual.addresses, dual.tcp) == (("::1", "192.0.2.1"), 443)


def test_targets_of_options_need_no_file() -> None:
    world = with_targets(NOTHING, [("v6", "::1", 443)]).external

    assert world is not None
    assert world.find(Role.V6) is not None
    assert with_targets(NOTHING, ()) is NOTHING


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
