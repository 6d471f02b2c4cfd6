"""``ipv6k8s.yaml``: what it may say, and one clear sentence for what it may not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_ipv6k8s import data
from pytest_ipv6k8s.addresses import Egress, Stack
from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.external.declaration import (
    draft,
    read,
    text,
)
from pytest_ipv6k8s.external.model import (
    ExternalNetwork,
    Nat64,
    Role,
    Target,
    WellKnownPrefix,
)
from pytest_ipv6k8s.kube.inventory import Inventory
from pytest_ipv6k8s.testbed import testbed
from tests.house.tree import ROOT

HEAD = "apiVersion: ipv6k8s.io/v1alpha1\nkind: ClusterDeclaration\n"


def _file(folder: Path, body: str) -> Path:
    path = folder / "ipv6k8s.yaml"
    path.write_text(HEAD + body)
    return path


def test_a_testbed_can_be_declared(tmp_path: Path) -> None:
    network = testbed.network_of(Egress.NATIVE)
    path = tmp_path / "ipv6k8s.yaml"
    path.write_text(text(Stack.DUAL, network))

    declared = read(path)

    assert declared.stack is Stack.DUAL
    assert declared.external == replace(network, source="declared")


def test_a_draft_promises_no_targets(tmp_path: Path) -> None:
    path = tmp_path / "ipv6k8s.yaml"
    path.write_text(draft(Stack.IPV6, about="v1.36.3"))

    declared = read(path)

    assert (declared.stack, declared.external) == (Stack.IPV6, None)


def _opened(draft: str) -> str:
    """Return a draft with all settings that are switched off; text has a space after its #."""
    return re.sub(r"^#(?! \S|$)", "", draft, flags=re.MULTILINE)


def test_a_draft_with_all_its_settings_is_a_declaration(tmp_path: Path) -> None:
    path = tmp_path / "ipv6k8s.yaml"
    path.write_text(_opened(draft(Stack.IPV6, about="v1.36.3")))

    declared = read(path)

    dual = Target(
        role=Role.DUAL,
        addresses=("2001:db8:1::10", "198.51.100.10"),
        name="dual.ipv6k8s.example.com.",
        tcp=8081,
        udp=8082,
        http=8080,
        identifies=True,
        ping=True,
        ask=("ssh", "target.example.com", "python3", "-I", "agent.pyz", "ask"),
    )
    v4 = Target(role=Role.V4, addresses=("198.51.100.20",), tcp=8081, udp=8082, http=8080)
    assert declared.network_policy is True
    assert declared.external == ExternalNetwork(
        source="declared",
        egress=Egress.MASQUERADE,
        nat64=Nat64(
            prefixes=("64:ff9b::/96",),
            pool=("192.0.2.0/24",),
            well_known_prefix=WellKnownPrefix.STRICT,
            local_use=False,
            private_host="10.0.0.10",
        ),
        dns64=True,
        clat=False,
        zone="ipv6k8s.example.com",
        proxy="http://[2001:db8::80]:3128",
        registry="http://[2001:db8::50]:5000",
        targets=(dual, v4),
    )


SCHEMA = json.loads(data.text("declaration.schema.json"))


def _keys(value: Any) -> Iterator[str]:
    """Yield the keys of a document, or those that a schema knows."""
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    for item in value if isinstance(value, list) else ():
        yield from _keys(item)


def _properties(schema: dict[str, Any]) -> Iterator[str]:
    for key, value in schema.get("properties", {}).items():
        yield key
        yield from _properties(value)
    if "items" in schema:
        yield from _properties(schema["items"])


def test_a_draft_has_every_key_of_the_schema() -> None:
    document = yaml.safe_load(_opened(draft(Stack.IPV6, about="v1.36.3")))

    assert set(_keys(document)) == set(_properties(SCHEMA))


def test_keys_are_in_camel_case() -> None:
    for key in _properties(SCHEMA):
        assert re.fullmatch("[a-z]+[0-9]*([A-Z]+[a-z]*)*", key), key


def test_the_schema_knows_every_role() -> None:
    target = SCHEMA["properties"]["targets"]["items"]["properties"]

    assert target["role"]["enum"] == [role.value for role in Role]


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


@pytest.mark.parametrize(("line", "seconds"), [("", 30), ("networkPolicySeconds: 120", 120)])
def test_how_long_a_policy_may_take_is_declared(tmp_path: Path, line: str, seconds: int) -> None:
    assert read(_file(tmp_path, line)).over(FACTS).policy_seconds == seconds


def test_a_draft_says_what_is_known_of_network_policy(tmp_path: Path) -> None:
    assert "inferred (cilium does)" in draft(Stack.IPV6, about="v1", policy_engine="cilium")
    assert "inferred (nothing here is known to)" in draft(Stack.IPV6, about="v1")


BAD = {
    "unknown enforcement": ("networkPolicy: maybe", "'maybe' is none of enforced, none (line 3)"),
    "no time for a policy": ("networkPolicySeconds: 0", "0 is not between 1 and 600"),
    "not yaml": ("x: {", "is not YAML"),
    "unknown key": ("colour: red", "colour: unknown key (line 3)"),
    "a key that is no text": ("1: red", "1: unknown key"),
    "unknown key of a target": (
        "targets: [{role: v6, addresses: ['::1'], tcp_port: 1}]",
        "targets[0].tcp_port: unknown key; did you mean tcp? (line 3)",
    ),
    "no list": ("targets: {role: v6}", "targets: {'role': 'v6'} is not a list"),
    "unknown stack": (
        "stack: v6",
        "stack: 'v6' is none of ipv6, ipv4, dual, dual-ipv6; did you mean ipv6? (line 3)",
    ),
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
    "port": (
        "targets: [{role: v6, addresses: ['::1'], tcp: 70000}]",
        "targets[0].tcp: 70000 is not between 0 and 65535",
    ),
    "overlap": (
        "targets: [{role: v6, addresses: ['::1'], tcp: 1}, {role: narrow, addresses: ['::1'], "
        "tcp: 1}]",
        "::1 is v6's already",
    ),
    "another family": (
        "targets: [{role: v4, addresses: ['::1'], tcp: 1}]",
        "a v4 target has IPv4 and no other",
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


HEADS = {
    "neither": ("stack: ipv6", "it does not say its apiVersion and kind: it has to begin with"),
    "no version": ("kind: ClusterDeclaration", "it does not say its apiVersion: it has to begin"),
    "no kind": ("apiVersion: ipv6k8s.io/v1alpha1", "it does not say its kind: it has to begin"),
    "another kind": ("apiVersion: v1\nkind: Config", "kind: it is 'Config', and a declaration is"),
    "another version": (
        "apiVersion: ipv6k8s.io/v2\nkind: ClusterDeclaration",
        "apiVersion: it is 'ipv6k8s.io/v2', and this ipv6k8s reads ipv6k8s.io/v1alpha1",
    ),
}


@pytest.mark.parametrize("case", HEADS)
def test_a_wrong_beginning_is_named(tmp_path: Path, case: str) -> None:
    content, words = HEADS[case]
    path = tmp_path / "ipv6k8s.yaml"
    path.write_text(content)

    with pytest.raises(ConfigError) as caught:
        read(path)

    assert str(caught.value).startswith(f"declaration {path}: {words}")


NAT64 = "nat64: {prefixes: ['64:ff9b::/96']"
OLDER = {
    "a version": (
        "apiVersion: ipv6k8s/v1alpha1\nkind: ClusterDeclaration",
        "Change apiVersion to ipv6k8s.io/v1alpha1.",
    ),
    "a key": (HEAD + NAT64 + ", local_use: true}", "Change local_use to localUse."),
    "a key at the top": (
        HEAD + "network_policy: enforced",
        "Change network_policy to networkPolicy.",
    ),
    "all there is": (
        "apiVersion: ipv6k8s/v1alpha1\nkind: ClusterDeclaration\n"
        + NAT64
        + ", private_host: 10.0.0.10, well_known_prefix: strict, local_use: true}",
        "Change apiVersion to ipv6k8s.io/v1alpha1, well_known_prefix to wellKnownPrefix, "
        "local_use to localUse, private_host to privateHost.",
    ),
}


@pytest.mark.parametrize("case", OLDER)
def test_a_file_of_an_older_form_names_all_that_has_to_change(tmp_path: Path, case: str) -> None:
    content, change = OLDER[case]
    path = tmp_path / "ipv6k8s.yaml"
    path.write_text(content)

    with pytest.raises(ConfigError) as caught:
        read(path)

    assert str(caught.value) == f"declaration {path} is of an older form. {change}"


def test_what_an_older_form_is_changed_to_is_read(tmp_path: Path) -> None:
    body = NAT64 + ", wellKnownPrefix: relaxed, localUse: true, privateHost: 10.0.0.10}"

    network = read(_file(tmp_path, body)).external

    assert network is not None
    assert network.nat64 == Nat64(
        prefixes=("64:ff9b::/96",),
        well_known_prefix=WellKnownPrefix.RELAXED,
        local_use=True,
        private_host="10.0.0.10",
    )


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml does not exist\. Check the path that was"):
        read(tmp_path / "none.yaml")


def test_a_list_is_no_declaration(tmp_path: Path) -> None:
    path = tmp_path / "ipv6k8s.yaml"
    path.write_text(yaml.safe_dump([1]))

    with pytest.raises(ConfigError, match="is no declaration"):
        read(path)


PAGE = (ROOT / "docs" / "external.md").read_text("utf-8")


def test_examples_on_the_page_are_declarations(tmp_path: Path) -> None:
    examples = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)

    assert len(examples) == 2
    for example in examples:
        path = tmp_path / "ipv6k8s.yaml"
        path.write_text(example)

        assert read(path).external is not None


def test_the_page_names_every_key_and_every_role() -> None:
    for name in [*_properties(SCHEMA), *(role.value for role in Role)]:
        assert re.search(rf"[`.]{name}[`.:]|^{name}:", PAGE, flags=re.MULTILINE), name
